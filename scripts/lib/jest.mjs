import { handOver } from './run.mjs'

/**
 * Runs the tests.
 * @param {string[]} args passed on to Jest
 * @returns {Promise<number>} Jest's exit code
 */
export function jest(args) {
  const flags = ['--experimental-vm-modules', '--no-warnings=ExperimentalWarning']
  return handOver([process.execPath, ...flags, 'node_modules/jest/bin/jest.js', ...args])
}
