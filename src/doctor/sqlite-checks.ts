import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import type { DatabaseSettings } from '../config/settings.js'
import { walCheckpoint } from '../database/sqlite/checkpoints/wal-checkpoint.js'
import { openBetterSqlite3, reading, type SqliteDriver } from '../database/sqlite/driver.js'
import { fileSystemOf } from '../database/sqlite/file-system.js'
import { type ConnectionRole, pragmasOf } from '../database/sqlite/pragmas.js'
import { freeBytes } from '../database/sqlite/free-space.js'
import { findingsOf } from '../database/sqlite/soundness.js'
import { assertSafeSqliteVersion, sqliteVersion } from '../database/sqlite/version-gate.js'
import { type Check, green, type Outcome, red, yellow } from './check.js'

const MIB = 1_048_576
/** What the log is cut back to after a burst (see pragmas.ts): beyond it, something keeps checkpoints from their work. */
const LARGE_WAL_BYTES = 64 * MIB
const HUGE_WAL_BYTES = 1_024 * MIB
const FINDINGS_TOLD = 3
const RESTORE = 'Stop the servers and restore a backup ("gator backups", "gator restore").'

/** What there is to look at in an SQLite file. Every connection is one that only reads. */
export function sqliteChecks(file: string, settings: DatabaseSettings): Check[] {
  const read = <T>(work: (driver: SqliteDriver) => T) => reading(file, work, settings.busyTimeoutMs)
  const folder = dirname(file)
  const always: Check[] = [
    { about: 'SQLite', run: () => versionState() },
    { about: 'database file', run: () => fileState(file) },
    { about: 'file system', run: () => fileSystemState(existsSync(folder) ? folder : process.cwd()) },
  ]
  if (!existsSync(file)) return always
  return [
    ...always,
    { about: 'free space', run: () => spaceState(file, settings.minFreeDiskBytes) },
    { about: 'journal mode', run: () => read(journalState) },
    ...(['writer', 'reader'] as const).map((role) => ({
      about: `PRAGMAs of a ${role}`,
      run: () => read((driver) => pragmaState(driver, role, settings)),
    })),
    { about: 'WAL', run: () => read((driver) => walState(driver, file)) },
    { about: 'integrity', run: () => read((driver) => soundness(driver, 'integrity_check')) },
    { about: 'foreign keys', run: () => read((driver) => soundness(driver, 'foreign_key_check')) },
  ]
}

function versionState(): Outcome {
  const driver = openBetterSqlite3(':memory:', { readonly: false, timeoutMs: 0 })
  const version = sqliteVersion(driver)
  driver.close()
  try {
    assertSafeSqliteVersion(version)
    return green(version)
  } catch (error) {
    return red(version, (error as Error).message)
  }
}

function fileState(file: string): Outcome {
  if (!existsSync(file))
    return yellow(`${file} is not there`, 'The first start of a server makes it; or check DATABASE_URL.')
  try {
    accessSync(file, constants.R_OK | constants.W_OK)
    accessSync(dirname(file), constants.R_OK | constants.W_OK | constants.X_OK)
    return green(`${file}, ${statSync(file).size} bytes`)
  } catch {
    return red(`${file} cannot be written to`, 'This user must be able to read and write the file and its folder.')
  }
}

function fileSystemState(path: string): Outcome {
  const { name, verdict, reason } = fileSystemOf(path)
  if (verdict === 'ok') return green(name)
  return verdict === 'warn' ? yellow(name, `${reason}.`) : red(name, `${reason}: move the database to a local disk.`)
}

function spaceState(file: string, minFreeDiskBytes: number): Outcome {
  const free = freeBytes(dirname(file))
  const what = `${Math.floor(free / MIB)} MiB free`
  if (free < minFreeDiskBytes) return red(what, 'Make room: no server starts with less than DISK_FREE_MIN_BYTES.')
  // A backup, or a migration that rewrites a table, needs as much again.
  return free < statSync(file).size * 2 ? yellow(what, 'Make room for a backup beside the database.') : green(what)
}

function journalState(driver: SqliteDriver): Outcome {
  const mode = String(driver.pragma('journal_mode', { simple: true }))
  return mode === 'wal' ? green(mode) : yellow(mode, 'The next start of a server turns WAL on.')
}

// On a connection that only reads: SQLite takes the settings of a connection there all the same. The journal mode is the
// file's own, and is not set.
function pragmaState(driver: SqliteDriver, role: ConnectionRole, settings: DatabaseSettings): Outcome {
  // A server's connections never wait in SQLite: their busy timeout is 0.
  const options = {
    synchronous: settings.synchronous,
    busyTimeoutMs: 0,
    ...(settings.checkpoints.isExternal && { autocheckpointPages: 0 }),
  }
  const pragmas = pragmasOf(role, options).filter(({ name }) => name !== 'journal_mode')
  const readBack = pragmas.map(({ name, value, readsBackAs }) => {
    driver.pragma(`${name} = ${value}`)
    const actual: unknown = driver.pragma(name, { simple: true }) ?? 0
    return { name, readsBackAs, actual }
  })
  const what = readBack.map(({ name, actual }) => `${name}=${String(actual)}`).join(' ')
  const wrong = readBack.filter(({ readsBackAs, actual }) => actual !== readsBackAs)
  if (wrong.length === 0) return green(what)
  const expected = wrong.map(({ name, readsBackAs }) => `${name} should be ${readsBackAs}`).join(', ')
  return red(what, `${expected}: reinstall the packages (npm ci), no server starts with this SQLite.`)
}

function walState(driver: SqliteDriver, file: string): Outcome {
  const size = statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0
  const { frames, checkpointed } = walCheckpoint(driver, 'NOOP')
  const backlog = frames - checkpointed
  const what = `${size} bytes, ${frames} frames, ${backlog} of them not yet in the database file`
  const advice = 'Look for a transaction that stays open for long, then run "gator checkpoint".'
  if (size > HUGE_WAL_BYTES) return red(what, advice)
  return size > LARGE_WAL_BYTES ? yellow(what, advice) : green(what)
}

function soundness(driver: SqliteDriver, check: 'integrity_check' | 'foreign_key_check'): Outcome {
  const findings = findingsOf(driver, check)
  return findings.length === 0 ? green('sound') : red(findings.slice(0, FINDINGS_TOLD).join('; '), RESTORE)
}
