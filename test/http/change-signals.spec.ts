import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { until } from '../processes/until.js'
import { databases, type TestDatabase } from '../support/databases.js'
import { EventListener } from '../support/event-listener.js'
import { PERSONAS, TestApp } from './support.js'

const CUTS = 3
const WRITES_BETWEEN_CUTS = 20
/** How often it is looked for what nobody has told of. */
const LOOK_EVERY_MS = 1_000
const WRITES_IN_TURN = 5

describe('the change stream on PostgreSQL, whose connection that listens is broken under writes', () => {
  let database: TestDatabase
  let app: TestApp
  let listener: EventListener

  beforeAll(async () => {
    database = await databases.PostgreSQL()
    app = await TestApp.start(database)
    listener = await EventListener.open(`http://127.0.0.1:${await app.port()}`)
  })
  afterAll(async () => {
    listener.close()
    await app.close()
    await database.remove()
  })

  /** The server's process of the connection that listens; undefined while there is none. */
  async function listeningPid(): Promise<number | undefined> {
    const sessions = `FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN %'`
    const [row] = await database.query(`SELECT pid ${sessions} AND state = 'idle'`)
    return row && Number(row['pid'])
  }

  it('tells all of it once, in order, and is woken again afterwards', async () => {
    const { id } = await app.create()
    let written = 1
    let isOver = false
    const writing = (async () => {
      for (; !isOver; written++) await app.send('POST', `${PERSONAS}${id}/generations`)
    })()
    try {
      for (let cut = 0; cut < CUTS; cut++) {
        const pid = await until('it listens', listeningPid)
        await database.query(`SELECT pg_terminate_backend(${pid})`)
        const goal = written + WRITES_BETWEEN_CUTS
        await until('it listens again, and was written to meanwhile', async () => {
          const now = await listeningPid()
          return now !== undefined && now !== pid && written >= goal
        })
      }
    } finally {
      isOver = true
      await writing
    }
    await listener.received(written)
    const counts = listener.changes.map(({ persona }) => persona?.generation_count)
    expect(counts).toEqual(Array.from({ length: written }, (_value, n) => n))

    const start = performance.now()
    for (let n = 1; n <= WRITES_IN_TURN; n++) {
      await app.send('POST', `${PERSONAS}${id}/generations`)
      await listener.received(written + n)
    }
    expect(performance.now() - start).toBeLessThan(WRITES_IN_TURN * LOOK_EVERY_MS * 0.5)
  })
})
