import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { TestApp } from '../http/support.js'
import { aPersona } from '../processes/a-persona.js'
import type { Connection } from '../processes/connection.js'
import { Sandbox } from '../processes/sandbox.js'
import type { ServerProcess } from '../processes/server.js'
import { until } from '../processes/until.js'
import { databases, type TestDatabase } from '../support/databases.js'
import { type Family, parseExposition, sumOf } from './exposition.js'
import { readDashboard, readOperations, readRules, selectorsOf, withoutVariables } from './operator-files.js'

const WORKERS = 4
const CREATIONS_EACH = 3
const READS_EACH = 2
const REQUESTS = 'gator_http_request_duration_seconds_count'
const CREATED = { method: 'POST', route: '/api/v1/personas', status: '201' }
const NOT_FOUND = { method: 'GET', route: '/api/v1/personas/:id', status: '404' }
const NOBODY = '00000000-0000-7000-8000-000000000000'
const SCRAPE_TIMEOUT_MS = 8_000

const sandbox = new Sandbox()
let server: ServerProcess
let connections: Connection[]
let first: Map<string, Family>
let postgresql: Map<string, Family>
let app: TestApp | undefined
let database: TestDatabase | undefined

async function scrape(url: string): Promise<Map<string, Family>> {
  const answer = await fetch(`${url}/metrics`, {
    headers: { connection: 'close' },
    signal: AbortSignal.timeout(SCRAPE_TIMEOUT_MS),
  })
  expect([answer.status, answer.headers.get('content-type'), answer.headers.get('cache-control')]).toEqual([
    200,
    'text/plain; version=0.0.4; charset=utf-8',
    'no-store',
  ])
  return parseExposition(await answer.text())
}

beforeAll(async () => {
  server = await sandbox.start({ workers: WORKERS })
  connections = await sandbox.connectToEachWorker(server, WORKERS)
  for (const connection of connections) {
    for (let n = 0; n < CREATIONS_EACH; n++) await connection.create(aPersona())
    for (let n = 0; n < READS_EACH; n++) await connection.read(NOBODY)
    await connection.request('GET', `/nowhere/${Math.random()}`)
  }
  first = await scrape(server.url)
  database = await databases.PostgreSQL()
  app = await TestApp.start(database)
  await app.create()
  postgresql = parseExposition((await app.get('/metrics')).body)
}, 60_000)

afterAll(async () => {
  await app?.close()
  await database?.remove()
  await sandbox.clear()
})

describe('the metrics of four workers', () => {
  it('add up', () => {
    expect(sumOf(first, REQUESTS, CREATED)).toBe(WORKERS * CREATIONS_EACH)
    expect(sumOf(first, REQUESTS, NOT_FOUND)).toBe(WORKERS * READS_EACH)
    expect(sumOf(first, REQUESTS, { route: 'unknown', status: '404' })).toBe(WORKERS)
    expect(sumOf(first, 'gator_group_commit_writes_sum')).toBe(WORKERS * CREATIONS_EACH)
    const commits = sumOf(first, 'gator_transactions_total', { kind: 'write', outcome: 'commit' })
    expect(commits).toBe(sumOf(first, 'gator_write_lock_wait_seconds_count'))
    expect(sumOf(first, 'gator_workers_answering')).toBe(WORKERS)
    expect(sumOf(first, 'gator_database_bytes')).toBeGreaterThan(0)
    expect(sumOf(first, 'gator_disk_free_bytes')).toBeGreaterThan(0)
    const ages = first.get('gator_write_lease_age_seconds')?.samples.map(({ labels, value }) => [labels, value])
    expect(ages).toEqual(['1', '2', '3', '4'].map((worker) => [{ worker }, 0]))
  })

  it('are the same whichever worker is asked', async () => {
    for (const [index, connection] of connections.entries()) {
      const answer = await connection.request('GET', '/health/live')
      expect(answer.worker).toBe(index + 1)
      expect(sumOf(await scrape(server.url), REQUESTS, CREATED)).toBe(WORKERS * CREATIONS_EACH)
    }
  })

  it('come without a worker that has stopped, but with what it had counted', async () => {
    const [pid = 0] = await server.workerPids()
    process.kill(pid, 'SIGSTOP')
    try {
      // A connection that the stopped one gets is answered by nobody; the next one gets another worker.
      const metrics = await Promise.any([scrape(server.url), scrape(server.url)])
      expect(sumOf(metrics, 'gator_workers_answering')).toBe(WORKERS - 1)
      expect(sumOf(metrics, REQUESTS, CREATED)).toBe(WORKERS * CREATIONS_EACH)
      expect(metrics.get('gator_write_queue_depth')?.samples).toHaveLength(WORKERS - 1)
    } finally {
      process.kill(pid, 'SIGCONT')
    }
  })

  it('do not drop when a worker is killed, whose restart is counted', async () => {
    const [pid = 0] = await server.workerPids()
    const starts = server.linesWith('listening').length
    process.kill(pid, 'SIGKILL')
    await until('another worker listens', () => server.linesWith('listening')[starts])
    const after = await until('all answer', async () => {
      const metrics = await scrape(server.url)
      return sumOf(metrics, 'gator_workers_answering') === WORKERS && metrics
    })
    expect(sumOf(after, REQUESTS, CREATED)).toBe(WORKERS * CREATIONS_EACH)
    expect(sumOf(after, REQUESTS, NOT_FOUND)).toBe(WORKERS * READS_EACH)
    expect(sumOf(after, 'gator_worker_restarts_total')).toBe(1)
    expect(after.get('gator_write_queue_depth')?.samples).toHaveLength(WORKERS)
  })

  it('lose nothing when a worker stops in order, not even what came after the last scrape', async () => {
    for (const connection of await sandbox.connectToEachWorker(server, WORKERS)) await connection.create(aPersona())
    const [pid = 0] = await server.workerPids()
    process.kill(pid, 'SIGTERM')
    await until('the worker has stopped', async () => !(await server.workerPids()).includes(pid))
    expect(sumOf(await scrape(server.url), REQUESTS, CREATED)).toBe(WORKERS * (CREATIONS_EACH + 1))
  })
})

describe('the metrics of one process on PostgreSQL', () => {
  it('tell of its pools and its writes', () => {
    expect(sumOf(postgresql, REQUESTS, CREATED)).toBe(1)
    expect(sumOf(postgresql, 'gator_transactions_total', { outcome: 'commit' })).toBe(1)
    expect(sumOf(postgresql, 'gator_write_turn_wait_seconds_count')).toBe(1)
    expect(sumOf(postgresql, 'gator_pool_wait_seconds_count', { role: 'writer' })).toBe(1)
    expect(sumOf(postgresql, 'gator_pool_connections', { role: 'writer' })).toBe(1)
    expect(sumOf(postgresql, 'gator_pool_connections_max')).toBe(10)
    expect(sumOf(postgresql, 'gator_workers_answering')).toBe(1)
    expect(postgresql.has('gator_wal_bytes')).toBe(false)
  })
})

describe("the operators' files", () => {
  /** Every name that a scrape has, with its labels. */
  function served(): Map<string, ReadonlySet<string>> {
    const names = new Map<string, Set<string>>()
    for (const { samples, name: family } of [...first.values(), ...postgresql.values()]) {
      for (const { name, labels } of [...samples, { name: family, labels: {} }]) {
        const known = names.get(name) ?? new Set(['instance', 'job'])
        for (const label of Object.keys(labels)) known.add(label)
        names.set(name, known)
      }
    }
    return names
  }

  function unknownIn(expr: string): string[] {
    const names = served()
    const selectors = selectorsOf(expr)
    expect(selectors).not.toEqual([])
    return selectors.flatMap(({ metric, labels }) => {
      const known = names.get(metric)
      return known ? labels.filter((label) => !known.has(label)).map((label) => `${metric}{${label}}`) : [metric]
    })
  }

  it('the alert rules are PromQL, name metrics and labels that there are, and are explained', () => {
    const rules = readRules().groups.flatMap((group) => {
      expect(Object.keys(group).sort()).toEqual(['name', 'rules'])
      return group.rules
    })
    expect(rules.length).toBeGreaterThan(20)
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length)
    for (const rule of rules) {
      const known = ['alert', 'annotations', 'expr', 'for', 'labels']
      expect(Object.keys(rule).filter((key) => !known.includes(key))).toEqual([])
      expect([rule.alert, unknownIn(rule.expr)]).toEqual([rule.alert, []])
      expect(rule.for ?? '1m').toMatch(/^\d+[smhd]$/)
      expect(['warning', 'critical']).toContain(rule.labels['severity'])
      expect(rule.annotations['summary']).toMatch(/.{10,}/)
      expect(readOperations()).toContain(`**${rule.alert}**`)
    }
  })

  it('the dashboard shows what there is, and all of it', () => {
    const { panels } = readDashboard()
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
    const graphs = panels.filter(({ type }) => type !== 'row')
    const exprs = graphs.flatMap(({ targets = [] }) => targets.map(({ expr }) => withoutVariables(expr)))
    expect(exprs.length).toBeGreaterThanOrEqual(graphs.length)
    expect(exprs.flatMap(unknownIn)).toEqual([])
    const shown = exprs.flatMap(selectorsOf).map(({ metric }) => metric.replace(/_(bucket|sum|count)$/, ''))
    const ours = [...first.keys(), ...postgresql.keys()].filter((name) => name.startsWith('gator_'))
    expect(ours.filter((name) => !shown.includes(name) && name !== 'gator_disk_size_bytes')).toEqual([])
  })

  it('operations.md explains every metric, and none that there is not', () => {
    const named = [...readOperations().matchAll(/`((?:gator|nodejs|process)_[a-z0-9_]+)`/g)].map(
      ([, name = '']) => name,
    )
    const served = new Set([...first.keys(), ...postgresql.keys()])
    expect([...served].filter((name) => !named.includes(name))).toEqual([])
    expect(named.filter((name) => !served.has(name))).toEqual([])
    const alerts = readRules().groups.flatMap(({ rules }) => rules.map(({ alert }) => alert))
    const explained = [...readOperations().matchAll(/`(Gator[A-Za-z]+)`/g)].map(([, name = '']) => name)
    expect(alerts.filter((name) => !explained.includes(name))).toEqual([])
    expect(explained.filter((name) => !alerts.includes(name))).toEqual([])
  })

  it.each(['gator_wal_bytes >', 'rate(gator_wal_bytes[5m]', 'sum by (gator_wal_bytes'])('%s is not PromQL', (expr) => {
    expect(() => selectorsOf(expr)).toThrow('Not PromQL')
  })
})
