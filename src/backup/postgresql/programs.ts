import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { searchPath } from '../../config/environment.js'
import { BackupError } from '../backup-errors.js'

export type PostgresProgram = 'pg_dump' | 'pg_restore'

/** Where Debian and its relatives keep the programs of each version; in PATH there is one that chooses, or none. */
const DEBIAN = '/usr/lib/postgresql'

const run = promisify(execFile)

/**
 * The path of one of PostgreSQL's programs: the first of PATH's, or else the newest of Debian's, that is not older than
 * the server. An older pg_dump refuses a newer server; an older pg_restore does not read what a newer pg_dump wrote.
 * @param oldest the oldest major version that will do
 * @throws BackupError that says what to install
 */
export async function findProgram(
  name: PostgresProgram,
  oldest: number,
  folders: readonly string[] = [...searchPath(), ...debianFolders()],
): Promise<string> {
  const found: number[] = []
  for (const folder of folders) {
    const path = join(folder, name)
    const version = await majorVersionOf(path)
    if (version !== undefined && version >= oldest) return path
    if (version !== undefined) found.push(version)
  }
  const what = found.length === 0 ? `${name} is not there` : `${name} is too old (version ${Math.max(...found)})`
  throw new BackupError(
    `${what}: install PostgreSQL's client programs${oldest > 0 ? `, version ${oldest} or newer` : ''} ` +
      `(Debian: apt-get install postgresql-client; macOS: brew install libpq), and have them in PATH.`,
  )
}

async function majorVersionOf(path: string): Promise<number | undefined> {
  try {
    const { stdout } = await run(path, ['--version'])
    const [, major] = /\(PostgreSQL\) (\d+)/.exec(stdout) ?? []
    return major === undefined ? undefined : Number(major)
  } catch {
    return undefined
  }
}

function debianFolders(): string[] {
  try {
    return readdirSync(DEBIAN)
      .filter((version) => /^\d+$/.test(version))
      .sort((a, b) => Number(b) - Number(a))
      .map((version) => join(DEBIAN, version, 'bin'))
  } catch {
    return []
  }
}
