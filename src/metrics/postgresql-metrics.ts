import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import { CONNECTION_ROLES } from '../database/observer.js'
import type { PoolUse, PostgresqlObserver } from '../database/postgresql/observer.js'
import { counter } from './sqlite-metrics.js'
import { MS_PER_SECOND, WAIT_BUCKETS_SECONDS } from './write-metrics.js'

/** What the pools of one process tell. Made once a registry. */
export function postgresqlMetrics(registry: Registry): PostgresqlObserver {
  const registers = [registry]
  const turns = new Histogram({
    name: 'gator_write_turn_wait_seconds',
    help: 'How long a write waited until one of the connections that write was its own.',
    buckets: WAIT_BUCKETS_SECONDS,
    registers,
  })
  const waits = new Histogram({
    name: 'gator_pool_wait_seconds',
    help: 'How long it took to get a connection from the pool, by role.',
    labelNames: ['role'],
    buckets: WAIT_BUCKETS_SECONDS,
    registers,
  })
  for (const role of CONNECTION_ROLES) waits.zero({ role })
  const byRole = (name: string, help: string) => counter(registry, name, help, 'role', CONNECTION_ROLES)
  const failed = byRole('gator_pool_connect_failures_total', 'Times that no connection could be had, by role.')
  const lost = byRole('gator_pool_connections_lost_total', 'Connections lost under a statement, by role.')
  const conflicts = new Counter({
    name: 'gator_write_conflicts_total',
    help: 'Writes that the server rolled back because of others, and that were made again.',
    registers,
  })
  return {
    onTurn: ({ waitedMs }) => turns.observe(waitedMs / MS_PER_SECOND),
    onConnection: ({ role, waitedMs }) => waits.observe({ role }, waitedMs / MS_PER_SECOND),
    onConnectFailed: ({ role }) => failed.inc({ role }),
    onConnectionLost: ({ role }) => lost.inc({ role }),
    onConflict: () => conflicts.inc(),
  }
}

/** Shows how the pools are used; the workers' pools add up. */
export function watchPools(registry: Registry, pools: () => readonly PoolUse[]): void {
  const connections = new Gauge({
    name: 'gator_pool_connections',
    help: 'Connections to PostgreSQL, by role and state.',
    labelNames: ['role', 'state'],
    registers: [registry],
    collect() {
      for (const { role, total, idle, waiting: queued, max } of pools()) {
        connections.set({ role, state: 'idle' }, idle)
        connections.set({ role, state: 'used' }, total - idle)
        most.set({ role }, max)
        waiting.set({ role }, queued)
      }
    },
  })
  const most = new Gauge({
    name: 'gator_pool_connections_max',
    help: 'How many connections to PostgreSQL there may be, by role.',
    labelNames: ['role'],
    registers: [registry],
  })
  const waiting = new Gauge({
    name: 'gator_pool_waiting',
    help: 'Statements that wait for a connection, by role.',
    labelNames: ['role'],
    registers: [registry],
  })
}
