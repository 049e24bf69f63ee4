import './lib/node-version.mjs'
import { main } from './lib/failure.mjs'
import { jest } from './lib/jest.mjs'
import { prepare } from './lib/prepare.mjs'

// Nothing that hangs may hang for ever; the longest proof takes about a quarter of this.
const TEST_TIMEOUT_MS = 3_600_000
const SEEDS = 1_000_000_000

await main(async () => {
  await prepare()
  const seed = process.env.SEED ?? String(Math.floor(Math.random() * SEEDS))
  Object.assign(process.env, { SOAK: '1', SEED: seed })
  console.error(`gator: soak with SEED=${seed}`)
  const which = process.argv.slice(2)
  // One at a time: each of them wants the machine for itself.
  const flags = ['--maxWorkers=1', `--testTimeout=${TEST_TIMEOUT_MS}`]
  process.exitCode = await jest([...flags, ...(which.length > 0 ? which : ['test/proof'])])
})
