import { openBetterSqlite3 } from './driver.js'
import { HELD } from './lock-probe.js'

// The second process of the lock probe: takes the write lock of a database in WAL mode, and keeps it until it is killed,
// or the first process is gone.

try {
  const [, , file] = process.argv
  if (file === undefined) throw new Error('which file?')
  const driver = openBetterSqlite3(file, { readonly: false, timeoutMs: 0 })
  driver.pragma('journal_mode = WAL')
  driver.exec('BEGIN IMMEDIATE')
  process.stdout.write(HELD)
  process.stdin.resume().once('end', () => driver.close())
} catch (error) {
  process.stderr.write(error instanceof Error ? error.message : String(error))
  process.exitCode = 1
}
