/** Whether the proofs run for as long as it takes to believe them, instead of as long as a developer waits. */
const isSoak = process.env['SOAK'] === '1'

/** What chance decides is decided by this number, so that a run can be repeated: `SEED=… npm run test:soak`. */
export const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000_000)

/** Checkpoints go on for so long in place of their usual time: `CHECKPOINTS_SECONDS=60 npm test -- test/proof/checkpoints`. */
const checkpointsSeconds = process.env['CHECKPOINTS_SECONDS']

const usual = isSoak
  ? {
      workerKills: 500,
      primaryKills: 500,
      /** How often it is overloaded. */
      overloads: 5,
      overloadMs: 30_000,
      /** How long the throughput is measured before and after. */
      throughputMs: 10_000,
      checkpointsMs: 600_000,
      pinnedMs: 60_000,
      freshnessMs: 180_000,
      freshnessKills: 60,
      /** How many generated sequences of changes a way of reading is held against. */
      generatedRuns: 300,
      /** How often a transfer dies after calls of the same name. */
      deathsAfterEachCall: Infinity,
      listedPersonas: 1_000_000,
      /** The share of what is timed that must be within its limit. */
      promptShare: 0.99,
      /** The least share of the throughput before an overload that must be there after it; the median of all of them. */
      recoveredShare: 0.95,
      testTimeoutMs: 3_600_000,
    }
  : {
      workerKills: 20,
      primaryKills: 20,
      overloads: 1,
      overloadMs: 5_000,
      throughputMs: 1_000,
      checkpointsMs: 5_000,
      pinnedMs: 6_000,
      freshnessMs: 3_000,
      freshnessKills: 2,
      generatedRuns: 10,
      deathsAfterEachCall: 3,
      listedPersonas: 100_000,
      promptShare: 0.9,
      // Other tests and programs take their part of the machine: a short measurement sees more of that.
      recoveredShare: 0.7,
      testTimeoutMs: 120_000,
    }

/** The size of every proof: the short form, and the long one of `npm run test:soak`. */
export const scale =
  checkpointsSeconds === undefined ? usual : { ...usual, checkpointsMs: Number(checkpointsSeconds) * 1_000 }

/** A generator of numbers from 0 to below 1 (mulberry32) that begins at the seed. */
export function seededRandom(): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Prints what a proof measured, at once. */
export function say(text: string): void {
  process.stderr.write(`proof: ${text}\n`)
}

/** Prints the seed, which whoever wants to see the same run again passes on. */
export function saySeed(): void {
  say(`SEED=${seed}${isSoak ? ', soak' : ''}`)
}
