import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import pg from 'pg'
import { Sandbox } from '../processes/sandbox.js'
import type { ServerProcess } from '../processes/server.js'
import { until } from '../processes/until.js'
import { type Fate, Ledger, type LedgerRow } from '../proof/ledger.js'
import { Load } from '../proof/load.js'
import { say } from '../proof/scale.js'
import { summary } from '../proof/statistics.js'
import { migrationScript } from '../support/migrations.js'
import { type PostgresServer, startPostgres } from '../support/postgres.js'
import { TcpProxy } from '../support/tcp-proxy.js'
import { promote, startSynchronousReplica } from './replica.js'

const WORKERS = 2
const WRITERS = 8
const WRITES = 40
const CONNECT_TIMEOUT_MS = 1_000
/** A statement is asked after every 2 s, and the question has the time of a connection; the rest is this machine's. */
const ANSWERED_WITHIN_MS = 5_000
const TEST_TIMEOUT_MS = 60_000
const PERSONAS = 'SELECT id, name, generation_count FROM personas'

async function onServer<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  return work(client).finally(() => client.end())
}

/** One service throughout: it is not restarted, whatever becomes of its database. */
describe('an outage of PostgreSQL under writes', () => {
  const sandbox = new Sandbox()
  const ledger = new Ledger()
  const postgres: PostgresServer[] = []
  let primary: PostgresServer
  let proxy: TcpProxy
  let service: ServerProcess
  let load: Load | undefined

  beforeAll(async () => {
    primary = await startPostgres()
    postgres.push(primary)
    await onServer(primary.adminUrl, (client) => client.query(migrationScript('postgresql')))
    proxy = await TcpProxy.start(primary.port)
    service = await sandbox.start({
      workers: WORKERS,
      env: {
        DATABASE_URL: proxy.urlOf(primary.adminUrl),
        DATABASE_CONNECT_TIMEOUT_MS: String(CONNECT_TIMEOUT_MS),
      },
    })
  })
  afterAll(async () => {
    await load?.stop()
    await sandbox.clear()
    await proxy.close()
    await Promise.all(postgres.map((server) => server.stop('immediate')))
  })

  const becomes = (status: number) =>
    until(
      `readiness is ${status}`,
      async () => (await fetch(`${service.url}/health/ready`, { headers: { connection: 'close' } })).status === status,
    )

  /** Takes the database away under writes and brings it back; judges what the clients saw, and what is stored. */
  async function endure(takeAway: () => unknown, bringBack: () => unknown, survivor = primary): Promise<void> {
    const current = new Load({
      ledger,
      writers: WRITERS,
      connect: () => sandbox.connect(service),
      name: `Outage ${ledger.total('acknowledged')}`,
    })
    load = current
    await current.progress(WRITES)
    await takeAway()
    await becomes(503)
    const before = current.outcomes.length
    await until('writes are refused', () => current.outcomes.length >= before + WRITERS)
    await bringBack()
    await becomes(200)
    await current.progress(WRITES)
    await current.stop()

    const failures = current.outcomes.filter(({ fate }) => fate !== 'acknowledged')
    const durations = current.outcomes.map(({ answer }) => answer?.durationMs ?? Infinity)
    const count = (fate: Fate) => current.outcomes.filter((outcome) => outcome.fate === fate).length
    say(`acknowledged ${count('acknowledged')}, refused ${count('refused')}, unknown ${count('unknown')}`)
    say(`answers: ${summary(durations)}`)
    expect(failures.length).toBeGreaterThan(0)
    // The service itself answers, always, and says when to come again.
    for (const { answer } of failures) {
      expect(answer?.status).toBe(503)
      expect(Number(answer?.headers['retry-after'])).toBeGreaterThanOrEqual(1)
    }
    expect(Math.max(...durations)).toBeLessThanOrEqual(ANSWERED_WITHIN_MS)
    expect(service.linesWith('a worker died and is started again')).toEqual([])
    const { rows } = await onServer(survivor.adminUrl, (client) => client.query<LedgerRow>(PERSONAS))
    expect(rows.length).toBeGreaterThan(0)
    expect(ledger.judgeRows(rows)).toEqual([])
  }

  it.each(['fast', 'immediate', 'kill'] as const)(
    'by a restart of the server (%s)',
    (mode) =>
      endure(
        () => primary.down(mode),
        () => primary.up(),
      ),
    TEST_TIMEOUT_MS,
  )

  it.each(['refuse', 'silence'] as const)(
    'by the network (%s)',
    (fault) =>
      endure(
        () => proxy[fault](),
        () => proxy.restore(),
      ),
    TEST_TIMEOUT_MS,
  )

  it(
    'by the death of the server, whose synchronous replica takes its place',
    async () => {
      const replica = await startSynchronousReplica(primary)
      postgres.push(replica)
      const takeAway = async () => {
        await primary.down('kill')
        // The address leads to the replica before it is a primary: it would answer reads, and must not be asked.
        proxy.restore(replica.port)
      }
      await endure(takeAway, () => promote(replica), replica)
      expect(await service.stop()).toEqual({ code: 0, signal: null })
    },
    TEST_TIMEOUT_MS,
  )
})
