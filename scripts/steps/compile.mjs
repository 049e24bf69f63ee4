import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { contentOf, fingerprint } from '../lib/fingerprint.mjs'
import { NODE_PREFIX, npm } from '../lib/npm.mjs'
import { run } from '../lib/run.mjs'
import { findToolchain } from '../lib/toolchain.mjs'

/**
 * better-sqlite3's native part. It is always compiled: the ready-made one is a download from GitHub, and it is tied to
 * the version of Node.js, so another Node.js compiles it anew.
 * @type {import('../lib/steps.mjs').Step}
 */
export const compile = {
  title: 'compiling better-sqlite3',
  duration: 'a minute or two, once',
  stamp: 'node_modules/better-sqlite3/build/.gator-compile',
  fingerprint: () => {
    const { packages } = JSON.parse(contentOf('package-lock.json'))
    const { version, integrity } = packages['node_modules/better-sqlite3']
    return fingerprint(version, integrity ?? '', process.versions.modules, process.platform, process.arch)
  },
  check: findToolchain,
  run: async () => {
    await npm(['rebuild', 'better-sqlite3', '--ignore-scripts=false', '--loglevel=error', '--foreground-scripts'], {
      npm_config_build_from_source: 'true',
      JOBS: process.env.JOBS ?? 'max',
      ...findToolchain(),
      ...(await headers()),
    })
    await run([process.execPath, '--input-type=commonjs', '-e', "new (require('better-sqlite3'))(':memory:')"])
  },
}

/**
 * The headers that lie beside this Node.js, if they are its own. Otherwise node-gyp downloads them from nodejs.org. A
 * person who told npm of others gets those.
 * @returns {Promise<NodeJS.ProcessEnv>}
 */
async function headers() {
  const include = join(NODE_PREFIX, 'include', 'node')
  if (!existsSync(join(include, 'node.h')) || abiOf(include) !== process.versions.modules) return {}
  const chosen = (await npm(['config', 'get', 'nodedir', '--loglevel=silent'])).trim()
  return chosen === '' || chosen === 'undefined' ? { npm_config_nodedir: NODE_PREFIX } : {}
}

function abiOf(include) {
  const header = readFileSync(join(include, 'node_version.h'), 'utf8')
  return /#define NODE_MODULE_VERSION (\d+)/.exec(header)?.[1]
}
