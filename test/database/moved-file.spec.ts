import { copyFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { SqliteDatabase } from '../../src/database/sqlite/sqlite-database.js'
import type { OpenDriver } from '../../src/database/sqlite/driver.js'
import { openBetterSqlite3 } from '../../src/database/sqlite/driver.js'
import { isOutcomeUnknown } from '../../src/database/sqlite/errors.js'
import { WriteOutcomeUnknownError } from '../../src/database/database-errors.js'
import { engineBench, entry, failureOf, replaced } from './engine-support.js'

const bench = engineBench()
const MOVED = { code: 'SQLITE_READONLY_DBMOVED' }

/** What may happen to the files of a database while it is open; each leaves another process with other files. */
const MOVES: Readonly<Record<string, (file: string) => void>> = {
  'is replaced by another file': (file) => {
    copyFileSync(file, `${file}.copy`)
    renameSync(`${file}.copy`, file)
  },
  'is removed': (file) => rmSync(file),
  'loses its -wal': (file) => rmSync(`${file}-wal`),
  'gets another -wal': (file) => {
    rmSync(`${file}-wal`)
    writeFileSync(`${file}-wal`, '')
  },
  'loses its -shm': (file) => rmSync(`${file}-shm`),
  'is in a folder that is gone': (file) => {
    const folder = file.slice(0, file.lastIndexOf('/'))
    renameSync(folder, `${folder}-gone`)
    writeFileSync(folder, 'a file where the folder was')
  },
}
const CASES = Object.keys(MOVES).map((name) => [name] as const)

/** A driver that calls back right before or after a COMMIT. */
function aroundCommit(when: 'before' | 'after', hook: () => void): OpenDriver {
  return (file, options) => {
    const driver = openBetterSqlite3(file, options)
    return replaced(driver, 'prepare', (source: string) => {
      const prepared = driver.prepare(source)
      if (source !== 'COMMIT') return prepared
      return replaced(prepared, 'run', () => {
        if (when === 'before') hook()
        const result = prepared.run()
        if (when === 'after') hook()
        return result
      })
    })
  }
}

describe.each(CASES)('a database that %s', (name) => {
  const move = (file: string) => MOVES[name]?.(file)

  it('takes no transaction any more', async () => {
    const engine = await bench.openWithLedger()
    move(bench.file)
    expect(await failureOf(engine.begin())).toMatchObject(MOVED)
    expect(await failureOf(engine.execute(entry('lost')))).toMatchObject(MOVED)
    expect(() => engine.assertUsable()).toThrow('the database file')
  })

  it('while a transaction is open does not take its COMMIT', async () => {
    const engine = await bench.openWithLedger()
    const transaction = await engine.begin()
    transaction.execute(entry('lost'))
    move(bench.file)
    expect(await failureOf(transaction.commit())).toMatchObject(MOVED)
    expect(transaction.isOpen).toBe(false)
  })

  it.each(['before', 'after'] as const)(
    'right %s the COMMIT acknowledges nothing, and makes nothing again',
    async (when) => {
      let isArmed = false
      let commits = 0
      const engine = await bench.openWithLedger({
        openDriver: aroundCommit(when, () => {
          if (!isArmed) return
          commits += 1
          move(bench.file)
        }),
      })
      await engine.execute(entry('kept'))
      isArmed = true
      const failures = await Promise.all(['a', 'b'].map((value) => failureOf(engine.execute(entry(value)))))
      expect(failures.map(isOutcomeUnknown)).toEqual([true, true])
      expect(commits).toBe(1)
      expect(await failureOf(engine.execute(entry('c')))).toMatchObject(MOVED)
    },
  )
})

it('is told to whoever writes as an outcome that is unknown', async () => {
  let isArmed = false
  await bench.openWithLedger()
  const database = await SqliteDatabase.open({
    file: bench.file,
    busyTimeoutMs: 1_000,
    synchronous: 'NORMAL',
    openDriver: aroundCommit('after', () => {
      if (isArmed) rmSync(bench.file)
    }),
  })
  isArmed = true
  const raw = (client: unknown) =>
    (client as { $executeRawUnsafe(text: string): Promise<number> }).$executeRawUnsafe(
      "INSERT INTO ledger (value) VALUES ('x')",
    )
  expect(await failureOf(database.write(raw))).toBeInstanceOf(WriteOutcomeUnknownError)
  await database.close()
})
