import { pathToFileURL } from 'node:url'
import { inProject } from './paths.mjs'

/**
 * Becomes another program of the project. It runs in this very process, as if it had been named on the command line:
 * signals reach it once and directly, its exit code is this process's, and no second process waits for it.
 * @param {...string} path inside the project
 */
export async function enter(...path) {
  const program = inProject(...path)
  process.argv[1] = program
  await import(pathToFileURL(program).href)
}
