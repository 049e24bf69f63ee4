import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, it } from '@jest/globals'
import { CachedReads } from '../../src/personas/reads/cached-reads.js'
import { databases } from '../support/databases.js'

const PERSONAS = 3_000
/** Of each, as it is answered. */
const LEAST_BYTES = 4_000
const CACHE_BYTES = 2_000_000

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

function bytesKept(): number {
  // Once more: a collection that was under way has ended with the first call, and leaves what has died since it began.
  for (let time = 0; time < 2; time++) collect()
  return process.memoryUsage().arrayBuffers
}

it('what is kept of reads takes no more memory than it may', async () => {
  const database = await databases.SQLite()
  const connection = await database.connect()
  try {
    await database.query(`
      WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${PERSONAS})
      INSERT INTO personas (id, name, appearance, personality, created_at, updated_at)
      SELECT 'p' || i, 'Persona ' || i, hex(zeroblob(${LEAST_BYTES / 2})), 'curious',
        '2026-01-01T00:00:00.000+00:00', '2026-01-01T00:00:00.000+00:00' FROM n`)
    const local = connection.directReads
    if (local?.kind !== 'local') throw new Error('not on SQLite')
    const reads = new CachedReads(local, CACHE_BYTES)
    const before = bytesKept()
    const first = await reads.find('p1')
    for (let i = 2; i <= PERSONAS; i++) await reads.find(`p${i}`)
    // Nobody is thrown away for those who are asked for once.
    expect(await reads.find('p1')).toBe(first)
    for (let i = 2; i <= PERSONAS; i++) await reads.find(`p${i}`)
    for (let skip = 0; skip < PERSONAS; skip += 10) await reads.findPage({ skip, limit: 10, activeOnly: true })
    const kept = bytesKept() - before
    expect(kept).toBeLessThan(CACHE_BYTES)
    // It does keep something, and what was read first is not among it.
    expect(kept).toBeGreaterThan(CACHE_BYTES / 2)
    expect(await reads.find('p1')).not.toBe(first)
    expect(await reads.find('p1')).toEqual(first)
  } finally {
    await connection.close()
    await database.remove()
  }
})
