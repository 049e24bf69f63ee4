import type { SqliteDriver } from './driver.js'

export type ConnectionRole = 'writer' | 'reader'

export interface PragmaOptions {
  readonly busyTimeoutMs: number
  readonly synchronous: 'NORMAL' | 'FULL'
  /** From how many frames in the WAL a COMMIT checkpoints by itself; 0: never. {@link AUTOCHECKPOINT_PAGES} by default. */
  readonly autocheckpointPages?: number | undefined
}

/** One PRAGMA: the statement that sets it and what reading it back must answer. */
export interface PragmaSetting {
  readonly name: string
  readonly value: string | number
  readonly readsBackAs: string | number
}

export class PragmaMismatchError extends Error {
  override readonly name = 'PragmaMismatchError'
  constructor(role: ConnectionRole, setting: PragmaSetting, actual: unknown) {
    super(
      `SQLite did not take PRAGMA ${setting.name} = ${setting.value} on the ${role} connection: it reads back as ` +
        `${String(actual)}, expected ${setting.readsBackAs}. WAL mode needs a local file system.`,
    )
  }
}

const KIBIBYTES_OF_WRITER_CACHE = 16_000
const KIBIBYTES_OF_READER_CACHE = 32_000
// A safety net only, 4 GiB: a checkpoint inside a request makes that COMMIT slow, an unbounded WAL every read. Above what it
// comes to beside a reader that stays for a minute (1.8 GB at 600 writes a second): beyond it each COMMIT tries, and the
// first that can copies all of it while its worker's event loop waits (0.5 to 1 s for those 1.8 GB).
export const AUTOCHECKPOINT_PAGES = 1_048_576
// Whoever begins a log anew cuts its file to this in a COMMIT, which takes as long as the file was large: with a thread
// that checkpoints, that is for the thread (shrink-wal.ts). Without one it is the value that Rails 8 ships.
const WAL_SIZE_LIMIT_BYTES = 67_108_864
const NO_LIMIT = -1
const SYNCHRONOUS_LEVEL = { NORMAL: 1, FULL: 2 } as const

/**
 * The PRAGMAs of a connection, in the order in which they are set: the busy timeout first, because the change to WAL
 * may have to wait for another process. mmap stays off: a truncation by another process would be a SIGBUS here.
 */
export function pragmasOf(role: ConnectionRole, options: PragmaOptions): PragmaSetting[] {
  const same = (name: string, value: string | number): PragmaSetting => ({ name, value, readsBackAs: value })
  const shared = [
    same('foreign_keys', 1),
    same('mmap_size', 0),
    { name: 'temp_store', value: 'MEMORY', readsBackAs: 2 },
    same('trusted_schema', 0),
    same('cell_size_check', 1),
  ]
  const synchronous = {
    name: 'synchronous',
    value: options.synchronous,
    readsBackAs: SYNCHRONOUS_LEVEL[options.synchronous],
  }
  const busyTimeout = same('busy_timeout', options.busyTimeoutMs)
  if (role === 'reader') {
    return [busyTimeout, synchronous, ...shared, same('cache_size', -KIBIBYTES_OF_READER_CACHE), same('query_only', 1)]
  }
  const { autocheckpointPages = AUTOCHECKPOINT_PAGES } = options
  return [
    busyTimeout,
    { name: 'journal_mode', value: 'WAL', readsBackAs: 'wal' },
    synchronous,
    ...shared,
    same('cache_size', -KIBIBYTES_OF_WRITER_CACHE),
    same('wal_autocheckpoint', autocheckpointPages),
    same('journal_size_limit', autocheckpointPages === 0 ? WAL_SIZE_LIMIT_BYTES : NO_LIMIT),
  ]
}

/**
 * The bootstrap hook: sets the PRAGMAs of a fresh connection and reads each one back.
 * @throws PragmaMismatchError when SQLite did not take one
 */
export function applyPragmas(driver: SqliteDriver, role: ConnectionRole, options: PragmaOptions): void {
  for (const setting of pragmasOf(role, options)) {
    driver.pragma(`${setting.name} = ${setting.value}`)
    assertPragma(driver, role, setting)
  }
  if (role === 'reader') assertPragma(driver, role, { name: 'journal_mode', value: 'WAL', readsBackAs: 'wal' })
}

function assertPragma(driver: SqliteDriver, role: ConnectionRole, setting: PragmaSetting): void {
  // mmap_size answers no row on a build without mmap, which is what is asked for.
  const actual = driver.pragma(setting.name, { simple: true }) ?? 0
  if (actual !== setting.readsBackAs) throw new PragmaMismatchError(role, setting, actual)
}
