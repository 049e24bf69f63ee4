import { isIP } from 'node:net'
import { resolve } from 'node:path'
import * as z from 'zod'
import {
  databaseUrl,
  directUrl,
  flag,
  hostNames,
  oneOf,
  origins,
  proxies,
  type SettingDefinition,
  wholeNumber,
  workers,
} from './setting-schemas.js'

const MAX_BUSY_TIMEOUT_MS = 600_000
const MAX_WRITE_QUEUE = 100_000
/** One to read, one to write. */
const MIN_POOL = 2
const MAX_POOL = 1_000
const MIN_BODY_LIMIT_BYTES = 1024
const MAX_BODY_LIMIT_BYTES = 104_857_600
const MAX_PORT = 65_535
const MIN_WAL_BYTES = 65_536
const MAX_WAL_BYTES = 1_073_741_824
const MAX_FREE_DISK_BYTES = Number.MAX_SAFE_INTEGER
/** Two weeks; a timer takes 24 days at most. */
const MAX_BACKUP_INTERVAL_MINUTES = 20_160
const MAX_CACHE_BYTES = 1_073_741_824
const MAX_REVISIONS_KEPT = 1_000_000
/** A hundred years. */
const MAX_REVISION_DAYS = 36_500
/** Four weeks. */
const MAX_IDEMPOTENCY_KEEP_HOURS = 672
const MAX_BACKUPS_KEPT = 10_000
const MAX_LISTENERS = 100_000
const MIN_HTTP_TIMEOUT_MS = 100
const MAX_REQUESTS_PER_MINUTE = 1_000_000
/** Two years, which is what the lists of browsers ask for. */
const MAX_HSTS_SECONDS = 63_072_000

/** Every setting, in the order of the README's table, which a test holds against this one: one table, long as it is. */
export const settingDefinitions = {
  HOST: {
    schema: z.string().refine((host) => isIP(host) > 0 || /^[\w.-]+$/.test(host), 'must be an address or a host name'),
    defaultText: '127.0.0.1',
    values: 'address or host name',
    description: 'Where the server listens. Beyond loopback only with API keys (`gator keys create`).',
  },
  PORT: {
    schema: wholeNumber(0, MAX_PORT),
    defaultText: '8000',
    values: '0–65535',
    description: 'TCP port. 0 takes a free one and logs which.',
  },
  WORKERS: {
    schema: workers,
    defaultText: '1',
    values: '1–64 or auto',
    description: 'Processes that serve on the one port; auto is one per core.',
  },
  DATABASE_URL: {
    schema: databaseUrl,
    defaultText: 'file:./data/gator.db',
    values: 'file:… or postgresql://…',
    description: 'The database. A file is an embedded SQLite; a postgresql URL swaps it for PostgreSQL.',
  },
  DATABASE_BUSY_TIMEOUT_MS: {
    schema: wholeNumber(0, MAX_BUSY_TIMEOUT_MS),
    defaultText: '30000',
    values: '0–600000 ms',
    description: 'How long a write waits for the write lock before it is refused with 503; the wait blocks nobody.',
  },
  DATABASE_WRITE_QUEUE_LIMIT: {
    schema: wholeNumber(1, MAX_WRITE_QUEUE),
    defaultText: '1024',
    values: '1–100000 writes',
    description: 'How many writes of a worker may wait for their turn; one more is refused with 503 at once.',
  },
  DATABASE_TRANSACTION_IDLE_TIMEOUT_MS: {
    schema: wholeNumber(1, MAX_BUSY_TIMEOUT_MS),
    defaultText: '1000',
    values: '1–600000 ms',
    description: 'How long a transaction may stay without a statement before it is rolled back: it holds locks.',
  },
  DATABASE_TRANSACTION_TIMEOUT_MS: {
    schema: wholeNumber(1, MAX_BUSY_TIMEOUT_MS),
    defaultText: '5000',
    values: '1–600000 ms',
    description: 'How long a transaction may stay open before it is rolled back.',
  },
  DATABASE_SYNCHRONOUS: {
    schema: oneOf('NORMAL', 'FULL'),
    defaultText: 'NORMAL',
    values: 'NORMAL or FULL',
    description:
      'SQLite: FULL syncs the WAL at every commit, so that an acknowledged write survives a power cut; NORMAL survives every crash of a process.',
  },
  CHECKPOINT_OWNER: {
    schema: oneOf('gator', 'external'),
    defaultText: 'gator',
    values: 'gator or external',
    description:
      'SQLite: who copies the WAL into the database file. external leaves it to another program, such as Litestream.',
  },
  CHECKPOINT_BYTES: {
    schema: wholeNumber(MIN_WAL_BYTES, MAX_WAL_BYTES),
    defaultText: '4194304',
    values: '65536–1073741824 bytes',
    description: 'SQLite: from so much that is only in the WAL it is copied, without stopping anyone.',
  },
  CHECKPOINT_TRUNCATE_BYTES: {
    schema: wholeNumber(MIN_WAL_BYTES, MAX_WAL_BYTES),
    defaultText: '33554432',
    values: '65536–1073741824 bytes',
    description:
      'SQLite: from this size the WAL begins anew, for which writers wait some milliseconds; reads become slower with its size.',
  },
  DISK_FREE_MIN_BYTES: {
    schema: wholeNumber(0, MAX_FREE_DISK_BYTES),
    defaultText: '104857600',
    values: '0–9007199254740991 bytes',
    description: 'SQLite: with less room on its disk a server does not start, and is not ready; it goes on serving.',
  },
  ALLOW_UNSAFE_FILE_SYSTEM: {
    schema: flag,
    defaultText: 'false',
    values: 'true or false',
    description:
      'SQLite: serve from a network or FUSE file system although its locks may not hold, and writes may be lost.',
  },
  DATABASE_POOL_SIZE: {
    schema: wholeNumber(MIN_POOL, MAX_POOL),
    defaultText: '10',
    values: '2–1000 connections',
    description:
      'PostgreSQL: connections of each worker, half of them to read. All workers together must fit into max_connections.',
  },
  DATABASE_CONNECT_TIMEOUT_MS: {
    schema: wholeNumber(1, MAX_BUSY_TIMEOUT_MS),
    defaultText: '5000',
    values: '1–600000 ms',
    description: 'PostgreSQL: how long a connection may take, and how long a read waits for a free one.',
  },
  DATABASE_STATEMENT_TIMEOUT_MS: {
    schema: wholeNumber(1, MAX_BUSY_TIMEOUT_MS),
    defaultText: '10000',
    values: '1–600000 ms',
    description: 'PostgreSQL: how long the server may work on a statement, its waiting for a lock not counted.',
  },
  DATABASE_DIRECT_URL: {
    schema: directUrl,
    defaultText: '',
    values: 'postgresql://…',
    description: 'PostgreSQL behind a pooler (…?pgbouncer=true): the server itself, which migrations need.',
  },
  MIGRATE_ON_START: {
    schema: flag,
    defaultText: 'true',
    values: 'true or false',
    description: 'Apply pending migrations at start. With false, a database that is behind stops the start.',
  },
  BACKUP_DIRECTORY: {
    schema: z.string().transform((path) => resolve(path)),
    defaultText: './data/backups',
    values: 'folder',
    description: 'Where backups are kept. Better on another disk than the database.',
  },
  BACKUP_INTERVAL_MINUTES: {
    schema: wholeNumber(0, MAX_BACKUP_INTERVAL_MINUTES),
    defaultText: '0',
    values: '0–20160 minutes',
    description: 'How long after the last backup a running server makes the next one. 0: it makes none.',
  },
  BACKUP_KEEP: {
    schema: wholeNumber(1, MAX_BACKUPS_KEPT),
    defaultText: '7',
    values: '1–10000 backups',
    description: 'How many backups are kept; after one has succeeded, the oldest beyond these are removed.',
  },
  REVISIONS_KEEP: {
    schema: wholeNumber(0, MAX_REVISIONS_KEPT),
    defaultText: '0',
    values: '0–1000000 revisions',
    description: 'How many revisions of each persona are kept. 0: all of them.',
  },
  REVISIONS_MAX_AGE_DAYS: {
    schema: wholeNumber(0, MAX_REVISION_DAYS),
    defaultText: '0',
    values: '0–36500 days',
    description: 'How long a revision is kept, but for the last one of its persona. 0: for ever.',
  },
  REQUIRE_IF_MATCH: {
    schema: flag,
    defaultText: 'false',
    values: 'true or false',
    description:
      'Refuse a PUT, PATCH, DELETE or restore without `If-Match` with 428, so that nobody overwrites unseen.',
  },
  CORS_ORIGINS: {
    schema: origins,
    defaultText: '',
    values: 'origins, comma-separated, or *',
    description: 'Browser origins that may call the API. Empty: none.',
  },
  BODY_LIMIT_BYTES: {
    schema: wholeNumber(MIN_BODY_LIMIT_BYTES, MAX_BODY_LIMIT_BYTES),
    defaultText: '1048576',
    values: '1024–104857600 bytes',
    description: 'Largest request body; a larger one is answered with 413.',
  },
  HEADERS_TIMEOUT_MS: {
    schema: wholeNumber(MIN_HTTP_TIMEOUT_MS, MAX_BUSY_TIMEOUT_MS),
    defaultText: '10000',
    values: '100–600000 ms',
    description: 'How long the headers of a request may take to arrive; a slower client is answered with 408.',
  },
  REQUEST_TIMEOUT_MS: {
    schema: wholeNumber(MIN_HTTP_TIMEOUT_MS, MAX_BUSY_TIMEOUT_MS),
    defaultText: '30000',
    values: '100–600000 ms',
    description: 'How long a whole request may take to arrive, its body included.',
  },
  CACHE_BYTES: {
    schema: wholeNumber(0, MAX_CACHE_BYTES),
    defaultText: '33554432',
    values: '0–1073741824 bytes',
    description: 'SQLite: how much each worker may keep of what it has answered, to answer it again. 0: nothing.',
  },
  EVENTS_MAX_LISTENERS: {
    schema: wholeNumber(0, MAX_LISTENERS),
    defaultText: '1000',
    values: '0–100000 listeners',
    description: 'How many may listen to the change stream of a worker; one more is refused with 503.',
  },
  IDEMPOTENCY_KEEP_HOURS: {
    schema: wholeNumber(1, MAX_IDEMPOTENCY_KEEP_HOURS),
    defaultText: '24',
    values: '1–672 hours',
    description: 'How long the answer to an Idempotency-Key is kept; a retry after that is a new request.',
  },
  LOG_LEVEL: {
    schema: oneOf('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'),
    defaultText: 'info',
    values: 'fatal, error, warn, info, debug, trace or silent',
    description: 'Least severe level that is logged.',
  },
  LOG_FORMAT: {
    schema: oneOf('pretty', 'json'),
    defaultText: '',
    values: 'pretty or json',
    description: 'Lines for people or for machines. Empty: pretty on a terminal, else json.',
  },
  LOG_SQL: {
    schema: flag,
    defaultText: 'false',
    values: 'true or false',
    description: 'Log each SQL statement with its duration, BEGIN and COMMIT included; never its parameters.',
  },
  LOG_SLOW_WRITE_WAIT_MS: {
    schema: wholeNumber(0, MAX_BUSY_TIMEOUT_MS),
    defaultText: '1000',
    values: '0–600000 ms',
    description: 'Log a warning for a write that waited longer for its turn and its lock. 0: none.',
  },
  LOG_SLOW_STATEMENT_MS: {
    schema: wholeNumber(0, MAX_BUSY_TIMEOUT_MS),
    defaultText: '500',
    values: '0–600000 ms',
    description: 'Log a warning for an SQL statement that ran longer; never its parameters. 0: none.',
  },
  ALLOWED_HOSTS: {
    schema: hostNames,
    defaultText: '',
    values: 'host names, comma-separated, or *',
    description:
      'What a Host header may name; other requests get 421. Empty: the names of loopback where HOST is loopback, else any.',
  },
  TRUST_PROXY: {
    schema: proxies,
    defaultText: '',
    values: 'addresses or networks, comma-separated',
    description: 'Proxies that are believed when they say whom they ask for (X-Forwarded-For). Empty: none.',
  },
  RATE_LIMIT_PER_MINUTE: {
    schema: wholeNumber(0, MAX_REQUESTS_PER_MINUTE),
    defaultText: '0',
    values: '0–1000000 requests',
    description:
      'How many requests a key, or an address without one, may make in a minute, over all workers. 0: any number.',
  },
  HSTS_MAX_AGE_SECONDS: {
    schema: wholeNumber(0, MAX_HSTS_SECONDS),
    defaultText: '0',
    values: '0–63072000 s',
    description:
      'Tell browsers for how long to come over HTTPS alone. Only behind a proxy that speaks it. 0: not told.',
  },
  ALLOW_UNAUTHENTICATED: {
    schema: flag,
    defaultText: 'false',
    values: 'true or false',
    description:
      'While there is no API key, permit a HOST that is not loopback, and proxies: anyone who reaches it may read and write.',
  },
} as const satisfies Record<string, SettingDefinition>
