import { describe, expect, it } from '@jest/globals'
import { RestartPause } from './restart-pause.js'

const YOUNG_MS = 1_000
const STEADY_MS = 60_000

function deaths(pause: RestartPause, livedMs: number, times: number): number[] {
  return Array.from({ length: times }, () => pause.next(livedMs, false))
}

describe('RestartPause', () => {
  it('lets the first one start again at once, and then waits twice as long each time', () => {
    expect(deaths(new RestartPause(), YOUNG_MS, 6)).toEqual([0, 100, 200, 400, 800, 1_600])
  })

  it('never waits longer than half a minute', () => {
    const pauses = deaths(new RestartPause(), YOUNG_MS, 2_000)
    expect(pauses.slice(9, 12)).toEqual([25_600, 30_000, 30_000])
    expect(Math.max(...pauses)).toBe(30_000)
  })

  it('never waits longer than two seconds while no worker lives', () => {
    const pause = new RestartPause()
    expect(deaths(pause, YOUNG_MS, 6).at(-1)).toBe(1_600)
    expect([pause.next(YOUNG_MS, true), pause.next(YOUNG_MS, true), pause.next(YOUNG_MS, false)]).toEqual([
      2_000, 2_000, 12_800,
    ])
    expect(new RestartPause().next(YOUNG_MS, true)).toBe(0)
  })

  it('forgets the young deaths of a slot whose worker has served for a minute', () => {
    const pause = new RestartPause()
    deaths(pause, YOUNG_MS, 5)
    expect(deaths(pause, STEADY_MS - 1, 1)).toEqual([1_600])
    expect(deaths(pause, STEADY_MS, 1)).toEqual([0])
    expect(deaths(pause, YOUNG_MS, 2)).toEqual([100, 200])
  })
})
