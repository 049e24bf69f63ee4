import type { z } from 'zod'
import type { DatabaseTarget } from './database-url.js'
import { settingDefinitions } from './setting-definitions.js'
import type { SettingDefinition } from './setting-schemas.js'

const MS_PER_MINUTE = 60_000
const MS_PER_HOUR = 3_600_000
const MS_PER_DAY = 86_400_000

export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent'

/** The validated configuration: grouped, typed, frozen. Read once at start; nothing else reads the environment. */
export interface Settings {
  readonly server: {
    readonly host: string
    readonly port: number
    readonly workers: number
    readonly bodyLimitBytes: number
    /** How much a worker may keep of what it has answered, to answer it again. */
    readonly cacheBytes: number
    readonly corsOrigins: readonly string[]
    /** Whether a PUT, PATCH, DELETE or restore without If-Match is refused. */
    readonly requiresIfMatch: boolean
    /** How many may listen to the change stream of one process. */
    readonly maxListeners: number
    /** How long the headers of a request may take; never longer than the request. */
    readonly headersTimeoutMs: number
    readonly requestTimeoutMs: number
  }
  readonly access: AccessSettings
  readonly database: DatabaseSettings
  readonly backup: BackupSettings
  readonly idempotency: {
    /** How long the answer to an `Idempotency-Key` is kept. */
    readonly keepMs: number
  }
  readonly revisions: RevisionSettings
  readonly log: LogSettings
}

/** Who may ask, for what, and how often. */
export interface AccessSettings {
  /** Whether everybody is served, on any address and through any proxy, while there are no keys. */
  readonly allowsUnauthenticated: boolean
  /** What a Host header may name, in lower case and without a port. */
  readonly allowedHosts: readonly string[] | 'loopback' | 'any'
  /** Addresses and networks. */
  readonly trustedProxies: readonly string[]
  /** Requests of a key, or of an address; 0: any number. */
  readonly rateLimitPerMinute: number
  /** 0: browsers are told nothing. */
  readonly hstsMaxAgeSeconds: number
}

export interface LogSettings {
  readonly level: LogLevel
  readonly format: 'pretty' | 'json'
  readonly sql: boolean
  /** From which wait on a write is logged; 0 for none. */
  readonly slowWriteWaitMs: number
  /** From which duration on a statement is logged; 0 for none. */
  readonly slowStatementMs: number
}

export interface DatabaseSettings {
  readonly target: DatabaseTarget
  readonly busyTimeoutMs: number
  readonly writeQueueLimit: number
  readonly idleTimeoutMs: number
  readonly transactionTimeoutMs: number
  readonly synchronous: 'NORMAL' | 'FULL'
  readonly checkpoints: {
    /** Whether another program checkpoints the WAL, and this one never does. */
    readonly isExternal: boolean
    readonly passiveBytes: number
    readonly truncateBytes: number
  }
  /** Below it, a server does not start, and is not ready. */
  readonly minFreeDiskBytes: number
  readonly allowUnsafeFileSystem: boolean
  readonly migrateOnStart: boolean
  /** Connections of each worker to PostgreSQL. */
  readonly poolSize: number
  readonly connectTimeoutMs: number
  readonly statementTimeoutMs: number
  /** Where to migrate a PostgreSQL database whose `target` is a pooler; null when there is no such place. */
  readonly directUrl: string | null
}

export interface BackupSettings {
  /** Absolute. */
  readonly directory: string
  /** How long after the last backup the server makes the next one; 0: it makes none. */
  readonly intervalMs: number
  /** How many backups of the folder are kept; 1 at least. */
  readonly keep: number
}

/** How much of the history is kept. The last revision of a persona always is. */
export interface RevisionSettings {
  /** How many revisions of each persona; 0: all. */
  readonly keep: number
  /** For how long; 0: for ever. */
  readonly maxAgeMs: number
}

export type SettingName = keyof typeof settingDefinitions
type Environment = Readonly<Record<string, string | undefined>>
type Parsed = { [Name in SettingName]: z.output<(typeof settingDefinitions)[Name]['schema']> }

/** Thrown with every fault at once, each with the variable's name and without its value (a URL may hold a password). */
export class InvalidSettingsError extends Error {
  override readonly name = 'InvalidSettingsError'
  constructor(readonly faults: readonly string[]) {
    super(`The settings are not valid:\n${faults.map((fault) => `  - ${fault}`).join('\n')}`)
  }
}

/**
 * Validates an environment. Unset and empty variables take their defaults; unknown variables are not ours to judge.
 * @throws InvalidSettingsError naming every bad variable
 */
export function parseSettings(environment: Environment, isTerminal: boolean): Settings {
  const faults: string[] = []
  const parsed = Object.fromEntries(
    Object.entries(settingDefinitions).map(([name, definition]) => [
      name,
      readOne(name, definition, environment, faults),
    ]),
  ) as Parsed
  if (faults.length > 0) throw new InvalidSettingsError(faults)
  return deepFreeze(group(parsed, isTerminal))
}

function readOne(name: string, definition: SettingDefinition, environment: Environment, faults: string[]): unknown {
  const given = environment[name] || definition.defaultText
  if (given === '') return undefined
  const result = definition.schema.safeParse(given)
  if (result.success) return result.data
  faults.push(`${name} ${result.error.issues[0]?.message ?? 'is not valid'}`)
  return undefined
}

function group(parsed: Parsed, isTerminal: boolean): Settings {
  return {
    server: {
      host: parsed.HOST,
      port: parsed.PORT,
      workers: parsed.WORKERS,
      bodyLimitBytes: parsed.BODY_LIMIT_BYTES,
      cacheBytes: parsed.CACHE_BYTES,
      corsOrigins: parsed.CORS_ORIGINS ?? [],
      requiresIfMatch: parsed.REQUIRE_IF_MATCH,
      maxListeners: parsed.EVENTS_MAX_LISTENERS,
      headersTimeoutMs: Math.min(parsed.HEADERS_TIMEOUT_MS, parsed.REQUEST_TIMEOUT_MS),
      requestTimeoutMs: parsed.REQUEST_TIMEOUT_MS,
    },
    access: accessOf(parsed),
    database: {
      target: parsed.DATABASE_URL,
      busyTimeoutMs: parsed.DATABASE_BUSY_TIMEOUT_MS,
      writeQueueLimit: parsed.DATABASE_WRITE_QUEUE_LIMIT,
      idleTimeoutMs: parsed.DATABASE_TRANSACTION_IDLE_TIMEOUT_MS,
      transactionTimeoutMs: parsed.DATABASE_TRANSACTION_TIMEOUT_MS,
      synchronous: parsed.DATABASE_SYNCHRONOUS,
      checkpoints: {
        isExternal: parsed.CHECKPOINT_OWNER === 'external',
        passiveBytes: parsed.CHECKPOINT_BYTES,
        truncateBytes: parsed.CHECKPOINT_TRUNCATE_BYTES,
      },
      minFreeDiskBytes: parsed.DISK_FREE_MIN_BYTES,
      allowUnsafeFileSystem: parsed.ALLOW_UNSAFE_FILE_SYSTEM,
      migrateOnStart: parsed.MIGRATE_ON_START,
      poolSize: parsed.DATABASE_POOL_SIZE,
      connectTimeoutMs: parsed.DATABASE_CONNECT_TIMEOUT_MS,
      statementTimeoutMs: parsed.DATABASE_STATEMENT_TIMEOUT_MS,
      directUrl: parsed.DATABASE_DIRECT_URL ?? null,
    },
    backup: {
      directory: parsed.BACKUP_DIRECTORY,
      intervalMs: parsed.BACKUP_INTERVAL_MINUTES * MS_PER_MINUTE,
      keep: parsed.BACKUP_KEEP,
    },
    idempotency: { keepMs: parsed.IDEMPOTENCY_KEEP_HOURS * MS_PER_HOUR },
    revisions: {
      keep: parsed.REVISIONS_KEEP,
      maxAgeMs: parsed.REVISIONS_MAX_AGE_DAYS * MS_PER_DAY,
    },
    log: {
      level: parsed.LOG_LEVEL,
      format: parsed.LOG_FORMAT ?? (isTerminal ? 'pretty' : 'json'),
      sql: parsed.LOG_SQL,
      slowWriteWaitMs: parsed.LOG_SLOW_WRITE_WAIT_MS,
      slowStatementMs: parsed.LOG_SLOW_STATEMENT_MS,
    },
  }
}

function accessOf(parsed: Parsed): AccessSettings {
  const named = parsed.ALLOWED_HOSTS?.includes('*') ? 'any' : parsed.ALLOWED_HOSTS
  return {
    allowsUnauthenticated: parsed.ALLOW_UNAUTHENTICATED,
    allowedHosts: named ?? (isLoopback(parsed.HOST) ? 'loopback' : 'any'),
    trustedProxies: parsed.TRUST_PROXY ?? [],
    rateLimitPerMinute: parsed.RATE_LIMIT_PER_MINUTE,
    hstsMaxAgeSeconds: parsed.HSTS_MAX_AGE_SECONDS,
  }
}

/** Whether only this machine reaches a host. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
}

function deepFreeze<T extends object>(value: T): T {
  for (const child of Object.values(value)) if (typeof child === 'object' && child !== null) deepFreeze(child)
  return Object.freeze(value)
}
