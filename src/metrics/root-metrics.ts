import { statfsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { Settings } from '../config/settings.js'
import { RuntimeMetrics } from './runtime-metrics.js'
import { type Snapshot, takeSnapshot } from './snapshot.js'
import { MS_PER_SECOND } from './write-metrics.js'

export const CHECKPOINT_MODES = ['PASSIVE', 'RESTART', 'TRUNCATE'] as const
export type CheckpointMode = (typeof CHECKPOINT_MODES)[number]

/** Everything was checkpointed; a part, because of a reader; nothing, because of a lock; or it failed. */
export const CHECKPOINT_RESULTS = ['ok', 'partial', 'busy', 'error'] as const
export type CheckpointResult = (typeof CHECKPOINT_RESULTS)[number]

const CHECKPOINT_BUCKETS_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5]

/** What the ticket office tells of its queue. */
export interface TicketGauges {
  /** How many turns are asked for. */
  readonly waiting: number
  /** For how long the turn has been out; 0 when it is not. */
  readonly heldMs: number
  /** How many turns were taken back because their time was over. */
  readonly expired: number
}

/** What one process alone can measure: the one that keeps the workers, or the only one. */
export class RootMetrics {
  readonly #registry = new Registry()
  readonly #restarts: Counter<'worker'>
  readonly #answering: Gauge
  readonly #backups: BackupMetrics
  readonly #files: FileMetrics | undefined
  #runtime: RuntimeMetrics | undefined

  /** @param workers how many processes serve */
  constructor({ database: { target }, backup }: Pick<Settings, 'database' | 'backup'>, workers: number) {
    const registers = [this.#registry]
    this.#restarts = new Counter({
      name: 'gator_worker_restarts_total',
      help: 'Workers that died and were started again, by slot.',
      labelNames: ['worker'],
      registers,
    })
    for (let slot = 1; slot <= workers; slot++) this.#restarts.inc({ worker: String(slot) }, 0)
    this.#answering = new Gauge({
      name: 'gator_workers_answering',
      help: 'Workers that answered this scrape within its time.',
      registers,
    })
    new Gauge({ name: 'gator_workers', help: 'Workers that there should be.', registers }).set(workers)
    this.#backups = new BackupMetrics(this.#registry, backup.intervalMs)
    if (target.provider === 'sqlite') this.#files = new FileMetrics(this.#registry, target.file)
  }

  /** Measures this process too, which does not serve itself. */
  addPrimary(): void {
    this.#runtime = new RuntimeMetrics(this.#registry, 'primary')
  }

  workerDied(slot: number): void {
    this.#restarts.inc({ worker: String(slot) })
  }

  workersAnswered(count: number): void {
    this.#answering.set(count)
  }

  /** Shows the queue of the workers. */
  watchTickets(tickets: TicketGauges): void {
    const registers = [this.#registry]
    gauge(
      registers,
      'gator_ticket_queue_depth',
      'Turns at the write lock that workers wait for.',
      () => tickets.waiting,
    )
    gauge(
      registers,
      'gator_ticket_age_seconds',
      'How long a worker has had its turn at the write lock now; 0 when none has.',
      () => tickets.heldMs / MS_PER_SECOND,
    )
    let counted = 0
    new Counter({
      name: 'gator_tickets_expired_total',
      help: 'Turns at the write lock that were taken back from a worker that did not give them back.',
      registers,
      collect() {
        this.inc(tickets.expired - counted)
        counted = tickets.expired
      },
    })
  }

  /** Frames in the WAL that are not in the database file yet; a frame holds one page. SQLite alone has them. */
  setWalBacklog(pages: number): void {
    this.#files?.backlog.set(pages)
  }

  checkpointDone(checkpoint: {
    readonly mode: CheckpointMode
    readonly result: CheckpointResult
    readonly durationMs: number
  }): void {
    const { mode, result, durationMs } = checkpoint
    const label = mode.toLowerCase()
    this.#files?.checkpoints.inc({ mode: label, result })
    this.#files?.checkpointDurations.observe({ mode: label }, durationMs / MS_PER_SECOND)
  }

  /** @param at when it was finished, in milliseconds since the epoch */
  backupSucceeded(backup: { readonly at: number; readonly durationMs: number; readonly bytes: number }): void {
    this.#backups.lastBackup.set(backup.at / MS_PER_SECOND)
    this.#backups.backupDuration.set(backup.durationMs / MS_PER_SECOND)
    this.#backups.backupBytes.set(backup.bytes)
  }

  backupFailed(): void {
    this.#backups.backupFailures.inc()
  }

  snapshot(): Promise<Snapshot> {
    return takeSnapshot(this.#registry)
  }

  close(): void {
    this.#runtime?.close()
  }
}

/** The database's file and those beside it; looked at when a scrape asks, without opening them. */
class FileMetrics {
  readonly backlog: Gauge
  readonly checkpoints: Counter<'mode' | 'result'>
  readonly checkpointDurations: Histogram<'mode'>

  constructor(registry: Registry, file: string) {
    const registers = [registry]
    gauge(registers, 'gator_database_bytes', 'Size of the database file.', () => sizeOf(file))
    gauge(registers, 'gator_wal_bytes', 'Size of the write-ahead log beside it.', () => sizeOf(`${file}-wal`))
    gauge(registers, 'gator_disk_free_bytes', "Free room of the database's file system, for this user.", () => {
      return roomOf(file).free
    })
    gauge(registers, 'gator_disk_size_bytes', "Size of the database's file system.", () => roomOf(file).size)
    this.backlog = new Gauge({
      name: 'gator_wal_backlog_pages',
      help: 'Pages in the write-ahead log that are not in the database file yet.',
      registers,
    })
    this.checkpoints = new Counter({
      name: 'gator_checkpoints_total',
      help: 'Checkpoints, by mode and result.',
      labelNames: ['mode', 'result'],
      registers,
    })
    this.checkpointDurations = new Histogram({
      name: 'gator_checkpoint_duration_seconds',
      help: 'How long a checkpoint took, by mode.',
      labelNames: ['mode'],
      buckets: CHECKPOINT_BUCKETS_SECONDS,
      registers,
    })
    for (const mode of CHECKPOINT_MODES) {
      const label = mode.toLowerCase()
      this.checkpointDurations.zero({ mode: label })
      for (const result of CHECKPOINT_RESULTS) this.checkpoints.inc({ mode: label, result }, 0)
    }
  }
}

/** The backups, whoever makes them. */
class BackupMetrics {
  readonly lastBackup: Gauge
  readonly backupDuration: Gauge
  readonly backupBytes: Gauge
  readonly backupFailures: Counter

  constructor(registry: Registry, intervalMs: number) {
    const registers = [registry]
    const set = (name: string, help: string) => new Gauge({ name, help, registers })
    set('gator_backup_interval_seconds', 'How long after the last backup the next one is made; 0 for never.').set(
      intervalMs / MS_PER_SECOND,
    )
    this.lastBackup = set(
      'gator_backup_last_success_timestamp_seconds',
      'When the last backup was finished, in seconds since the epoch; 0 when there was none.',
    )
    this.backupDuration = set('gator_backup_last_duration_seconds', 'How long the last backup took.')
    this.backupBytes = set('gator_backup_last_size_bytes', 'Size of the last backup.')
    this.backupFailures = new Counter({ name: 'gator_backup_failures_total', help: 'Backups that failed.', registers })
  }
}

function gauge(registers: Registry[], name: string, help: string, read: () => number): void {
  new Gauge({
    ...{ name, help, registers },
    collect() {
      this.set(read())
    },
  })
}

// The file is made by the first who writes, and the log goes with the last who closes.
function sizeOf(file: string): number {
  try {
    return statSync(file, { throwIfNoEntry: false })?.size ?? 0
  } catch {
    // What cannot be looked at must not take the rest of the metrics with it.
    return Number.NaN
  }
}

function roomOf(file: string): { free: number; size: number } {
  try {
    const { bavail, blocks, bsize } = statfsSync(dirname(file))
    return { free: bavail * bsize, size: blocks * bsize }
  } catch {
    return { free: Number.NaN, size: Number.NaN }
  }
}
