import { describe, expect, it } from '@jest/globals'
import type { WorkerContention } from '../metrics/contention.js'
import { adviceOn } from './contention-advice.js'

const QUIET: WorkerContention = {
  worker: 1,
  since: '2026-11-23T05:06:07.089Z',
  waiting: 0,
  heldMs: null,
  waits: { count: 5_000, p50Ms: 1, p95Ms: 2, p99Ms: 5, maxMs: 400 },
  refused: { 'lock-timeout': 0, 'queue-full': 0 },
  busy: 0,
  outsideMs: 0,
  longestHolds: [{ at: '2026-11-23T05:06:07.089Z', kind: 'write', outcome: 'commit', heldMs: 12 }],
}
const SLOW = { ...QUIET, waits: { ...QUIET.waits, p99Ms: 250 } }
const LONG = { at: QUIET.since, kind: 'transaction', outcome: 'commit', heldMs: 900 } as const

describe('the advice', () => {
  it.each<[string, WorkerContention[], 'sqlite' | 'postgresql', RegExp[]]>([
    ['is none when nobody waits', [QUIET, QUIET], 'sqlite', []],
    ['is PostgreSQL when many wait long for one another', [QUIET, SLOW], 'sqlite', [/250 ms.*PostgreSQL is due/]],
    [
      'is PostgreSQL when writes are refused',
      [{ ...QUIET, refused: { 'lock-timeout': 1, 'queue-full': 2 } }],
      'sqlite',
      [/3 were refused.*PostgreSQL is due/],
    ],
    ['is patience when few have waited', [{ ...SLOW, waits: { ...SLOW.waits, count: 20 } }], 'sqlite', []],
    ['is a shorter transaction when one is long', [{ ...SLOW, longestHolds: [LONG] }], 'sqlite', [/900 ms: make it/]],
    ['names programs outside', [{ ...SLOW, outsideMs: 4_000 }], 'sqlite', [/4000 ms for programs outside/]],
    ['is a larger pool on PostgreSQL', [SLOW], 'postgresql', [/DATABASE_POOL_SIZE/]],
  ])('%s', (_title, workers, provider, lines) => {
    expect(adviceOn(provider, workers)).toEqual(lines.map((line) => expect.stringMatching(line)))
  })
})
