import './lib/node-version.mjs'
import { Failure, main } from './lib/failure.mjs'
import { jest } from './lib/jest.mjs'
import { npm } from './lib/npm.mjs'
import { prepare } from './lib/prepare.mjs'
import { ToolFailed } from './lib/run.mjs'

/** The npm scripts that look at the code without running it. */
const INSPECTIONS = ['lint', 'format:check', 'typecheck']

/**
 * Everything that must hold before a change is done. All of it runs, so that one round shows every fault.
 * `--no-tests` leaves the tests out.
 */
await main(async () => {
  await prepare()
  const failed = []
  for (const name of INSPECTIONS) if (!(await passes(name))) failed.push(name)
  if (!process.argv.includes('--no-tests')) {
    console.error('gator: tests')
    if ((await jest([])) !== 0) failed.push('tests')
  }
  if (failed.length > 0) throw new Failure(`the check failed: ${failed.join(', ')}`)
  console.error('gator: all is well')
})

async function passes(name) {
  const startedAt = performance.now()
  try {
    await npm(['run', '--silent', name])
    console.error(`gator: ${name} ok (${((performance.now() - startedAt) / 1_000).toFixed(1)} s)`)
    return true
  } catch (error) {
    if (!(error instanceof ToolFailed)) throw error
    console.error(`gator: ${name} FAILED (${error.ending})\n${error.output}`)
    return false
  }
}
