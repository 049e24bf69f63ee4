import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join, resolve } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { packageRoot } from '../package-root.js'
import { parseDatabaseUrl } from './database-url.js'
import { settingDefinitions } from './setting-definitions.js'
import { InvalidSettingsError, parseSettings } from './settings.js'

const faultsOf = (environment: Record<string, string>): readonly string[] => {
  try {
    parseSettings(environment, false)
    return []
  } catch (error) {
    if (error instanceof InvalidSettingsError) return error.faults
    throw error
  }
}

describe('parseSettings', () => {
  it('takes the defaults from an empty environment', () => {
    expect(parseSettings({}, false)).toEqual({
      server: {
        host: '127.0.0.1',
        port: 8000,
        workers: 1,
        bodyLimitBytes: 1_048_576,
        cacheBytes: 33_554_432,
        corsOrigins: [],
        requiresIfMatch: false,
        maxListeners: 1_000,
        headersTimeoutMs: 10_000,
        requestTimeoutMs: 30_000,
      },
      access: {
        allowsUnauthenticated: false,
        allowedHosts: 'loopback',
        trustedProxies: [],
        rateLimitPerMinute: 0,
        hstsMaxAgeSeconds: 0,
      },
      database: {
        target: { provider: 'sqlite', file: resolve('data/gator.db'), url: `file:${resolve('data/gator.db')}` },
        busyTimeoutMs: 30_000,
        writeQueueLimit: 1_024,
        idleTimeoutMs: 1_000,
        transactionTimeoutMs: 5_000,
        synchronous: 'NORMAL',
        checkpoints: { isExternal: false, passiveBytes: 4_194_304, truncateBytes: 33_554_432 },
        minFreeDiskBytes: 104_857_600,
        allowUnsafeFileSystem: false,
        migrateOnStart: true,
        poolSize: 10,
        connectTimeoutMs: 5_000,
        statementTimeoutMs: 10_000,
        directUrl: null,
      },
      backup: { directory: resolve('data/backups'), intervalMs: 0, keep: 7 },
      idempotency: { keepMs: 86_400_000 },
      revisions: { keep: 0, maxAgeMs: 0 },
      log: { level: 'info', format: 'json', sql: false, slowWriteWaitMs: 1_000, slowStatementMs: 500 },
    })
  })

  it('logs for people on a terminal, unless it is told otherwise', () => {
    expect(parseSettings({}, true).log.format).toBe('pretty')
    expect(parseSettings({ LOG_FORMAT: 'json' }, true).log.format).toBe('json')
  })

  it('takes what is set, and an empty variable for an unset one', () => {
    const settings = parseSettings(
      { PORT: '0', WORKERS: 'auto', CORS_ORIGINS: 'https://a.example, http://b.example:81', LOG_SQL: 'true', HOST: '' },
      false,
    )
    expect(settings.server).toMatchObject({
      host: '127.0.0.1',
      port: 0,
      workers: availableParallelism(),
      corsOrigins: ['https://a.example', 'http://b.example:81'],
    })
    expect(settings.log.sql).toBe(true)
  })

  it('is frozen, all the way down', () => {
    const settings = parseSettings({}, false)
    expect(
      [settings, settings.server, settings.server.corsOrigins, settings.database.target].every(Object.isFrozen),
    ).toBe(true)
  })

  it.each([
    ['PORT', '65536'],
    ['PORT', '-1'],
    ['PORT', '8000.5'],
    ['PORT', 'http'],
    ['WORKERS', '0'],
    ['WORKERS', '65'],
    ['WORKERS', 'many'],
    ['DATABASE_BUSY_TIMEOUT_MS', '600001'],
    ['DATABASE_SYNCHRONOUS', 'OFF'],
    ['DATABASE_POOL_SIZE', '1'],
    ['DATABASE_URL', 'postgresql://host/db?sslmode=prefer'],
    ['DATABASE_URL', 'postgresql://host/db?sslmode=verify-ca'],
    ['DATABASE_URL', 'postgresql://host/db?schema=other'],
    ['DATABASE_DIRECT_URL', 'file:gator.db'],
    ['MIGRATE_ON_START', 'yes'],
    ['BACKUP_INTERVAL_MINUTES', '20161'],
    ['BACKUP_KEEP', '0'],
    ['BODY_LIMIT_BYTES', '10'],
    ['CORS_ORIGINS', 'https://a.example/path'],
    ['CORS_ORIGINS', 'a.example'],
    ['LOG_LEVEL', 'loud'],
    ['LOG_FORMAT', 'xml'],
    ['LOG_SQL', '1'],
    ['ALLOW_UNAUTHENTICATED', 'TRUE'],
    ['HOST', 'not a host'],
    ['HEADERS_TIMEOUT_MS', '99'],
    ['REQUEST_TIMEOUT_MS', '600001'],
    ['ALLOWED_HOSTS', 'api.example:8000'],
    ['ALLOWED_HOSTS', '::1'],
    ['TRUST_PROXY', 'proxy.example'],
    ['TRUST_PROXY', '10.0.0.0/33'],
    ['TRUST_PROXY', '::/0'],
    ['RATE_LIMIT_PER_MINUTE', '-1'],
    ['HSTS_MAX_AGE_SECONDS', '1y'],
  ])('refuses %s=%s', (name, value) => {
    expect(faultsOf({ [name]: value })).toEqual([
      expect.stringMatching(new RegExp(`^${name} must (be|have|name|not name) `)),
    ])
  })

  it('tells every fault in one message, and no value', () => {
    const faults = faultsOf({ PORT: 'secret-1', WORKERS: 'secret-2', DATABASE_URL: 'mysql://user:secret-3@host/db' })
    expect(faults.map((fault) => fault.split(' ')[0])).toEqual(['PORT', 'WORKERS', 'DATABASE_URL'])
    expect(faults.join()).not.toMatch(/secret/)
  })

  it.each(['127.0.0.1', '127.0.0.2', 'localhost', '::1'])(
    'has %s, which is loopback, answer for loopback alone',
    (HOST) => {
      expect(parseSettings({ HOST }, false).access.allowedHosts).toBe('loopback')
    },
  )

  it.each<[Record<string, string>, string | string[]]>([
    [{ HOST: '0.0.0.0' }, 'any'],
    [{ HOST: 'gator.example' }, 'any'],
    [{ ALLOWED_HOSTS: '*' }, 'any'],
    [{ ALLOWED_HOSTS: 'API.example, [::1]' }, ['api.example', '[::1]']],
  ])('reads of %j what a Host header may name', (environment, allowed) => {
    expect(parseSettings(environment, false).access.allowedHosts).toEqual(allowed)
  })
})

describe('parseDatabaseUrl', () => {
  it.each([
    ['file:./data/gator.db', resolve('data/gator.db')],
    ['file:gator.db', resolve('gator.db')],
    ['file:/var/lib/gator.db', '/var/lib/gator.db'],
    ['file:///var/lib/gator.db', '/var/lib/gator.db'],
  ])('reads %s', (url, file) => {
    expect(parseDatabaseUrl(url)).toEqual({ provider: 'sqlite', file, url: `file:${file}` })
  })

  it.each(['postgresql://user@host:5432/gator', 'postgres://host/gator?sslmode=require'])('reads %s', (url) => {
    expect(parseDatabaseUrl(url)).toEqual({ provider: 'postgresql', url })
  })

  it.each([
    'mysql://host/db',
    'sqlite:///gator.db',
    'gator.db',
    'file:',
    'file::memory:',
    'file:gator.db?mode=memory',
    'file://host/gator.db',
    'file:./data/',
    'postgresql://host:port/db',
    '',
  ])('does not know %j', (url) => {
    expect(parseDatabaseUrl(url)).toBeNull()
  })

  it('names the two forms that are known', () => {
    expect(faultsOf({ DATABASE_URL: 'mysql://host/db' })).toEqual([
      expect.stringMatching(/^DATABASE_URL must be file:.*postgresql:\/\//),
    ])
  })
})

describe("the README's table of settings", () => {
  const rows = readFileSync(join(packageRoot, 'README.md'), 'utf8')
    .split('\n')
    .filter((line) => /^\| `[A-Z_]+` +\|/.test(line))
    .map((line) => line.split('|').map((cell) => cell.trim().replace(/^`(.*)`$/, '$1')))
    .map(([, name, defaultText, values, description]) => ({ name, defaultText, values, description }))

  it('says what the schema says', () => {
    const expected = Object.entries(settingDefinitions).map(([name, { defaultText, values, description }]) => {
      return { name, defaultText, values, description }
    })
    expect(rows).toEqual(expected)
  })
})
