import { existsSync, realpathSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { run } from './run.mjs'

/** The folder that Node.js is installed in: `<prefix>/bin/node` (`<prefix>\node.exe` on Windows). */
export const NODE_PREFIX =
  process.platform === 'win32' ? dirname(process.execPath) : dirname(dirname(realpathSync(process.execPath)))

/**
 * Runs npm with the Node.js that runs this script. Another one that stands first in PATH would compile for itself.
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} [env] added to this process's own
 * @returns {Promise<string>} what it said
 */
export function npm(args, env = {}) {
  const path = `${dirname(process.execPath)}${delimiter}${process.env.PATH ?? ''}`
  return run([...npmCommand(), ...args], { env: { PATH: path, npm_config_update_notifier: 'false', ...env } })
}

function npmCommand() {
  const callers = process.env.npm_execpath ?? ''
  const cli = [
    /npm-cli\.c?js$/.test(callers) ? callers : '',
    join(NODE_PREFIX, 'lib', 'node_modules', 'npm', 'bin', 'npm-cli.js'),
    join(NODE_PREFIX, 'node_modules', 'npm', 'bin', 'npm-cli.js'),
  ].find((path) => path !== '' && existsSync(path))
  return cli ? [process.execPath, cli] : ['npm']
}
