import { describe, expect, it } from '@jest/globals'
import { ContentionRecorder, WAITS_KEPT } from './contention.js'

describe('ContentionRecorder', () => {
  it('knows the quantiles of the last waits, and counts all', () => {
    const recorder = new ContentionRecorder(3)
    const { onLockAcquired } = recorder.sqlite()
    const wait = (waitedMs: number) => onLockAcquired?.({ kind: 'write', waitedMs, lockMs: 2 })
    for (let n = 0; n < WAITS_KEPT; n++) wait(90_000)
    for (let ms = 1; ms <= WAITS_KEPT; ms++) wait(ms)
    const { worker, waits, outsideMs } = recorder.summary()
    expect([worker, outsideMs]).toEqual([3, 2 * 2 * WAITS_KEPT])
    expect(waits).toEqual({ count: 2 * WAITS_KEPT, p50Ms: 512, p95Ms: 973, p99Ms: 1_014, maxMs: 1_024 })
  })

  it('keeps the ten longest holds, the longest first', () => {
    const recorder = new ContentionRecorder(1)
    const { onTransactionEnd } = recorder.sqlite()
    for (let n = 0; n < 1_000; n++) {
      onTransactionEnd?.({ kind: 'transaction', outcome: 'commit', heldMs: (n * 7) % 1_000 })
    }
    const { longestHolds } = recorder.summary()
    expect(longestHolds.map(({ heldMs }) => heldMs)).toEqual([999, 998, 997, 996, 995, 994, 993, 992, 991, 990])
    expect(longestHolds[0]).toMatchObject({ kind: 'transaction', outcome: 'commit' })
    expect(Date.parse(longestHolds[0]?.at ?? '')).toBeGreaterThan(Date.now() - 60_000)
  })

  it('knows who holds the lock now, what was refused and how many wait', () => {
    const recorder = new ContentionRecorder(1)
    const { onLockAcquired, onRefused, onBusy, onTransactionEnd } = recorder.sqlite()
    recorder.watch({ waitingWrites: () => 5 })
    expect(recorder.summary()).toMatchObject({ heldMs: null, waits: { count: 0, maxMs: 0 } })
    onLockAcquired?.({ kind: 'transaction', waitedMs: 1, lockMs: 0 })
    onBusy?.({ code: 'SQLITE_BUSY' })
    expect(recorder.summary().waits).toMatchObject({ count: 1, p50Ms: 1, maxMs: 1 })
    onRefused?.({ reason: 'lock-timeout', waitedMs: 9, lockMs: 4 })
    const expected = { waiting: 5, busy: 1, outsideMs: 4, refused: { 'lock-timeout': 1, 'queue-full': 0 } }
    expect(recorder.summary()).toMatchObject({ ...expected, heldMs: expect.any(Number) })
    onTransactionEnd?.({ kind: 'transaction', outcome: 'watchdog', heldMs: 3 })
    expect(recorder.summary()).toMatchObject({ heldMs: null, longestHolds: [{ outcome: 'watchdog', heldMs: 3 }] })
  })
})
