import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from '@jest/globals'
import { onEachDatabase } from '../support/databases.js'
import { withApp } from './support.js'

const ADMIN = '/api/v1/admin/database'
const PAGE = 'https://page.example'

onEachDatabase((kind) => {
  const folder = mkdtempSync(join(tmpdir(), 'gator-admin-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  // What would be refused for every call is permitted: even then these are for this machine alone.
  const app = withApp(kind, { BACKUP_DIRECTORY: folder, ALLOWED_HOSTS: '*', CORS_ORIGINS: PAGE })
  const provider = kind.toLowerCase()

  it('GET /info tells what the database is', async () => {
    const info = (await app().get(`${ADMIN}/info`)).json<Record<string, unknown>>()
    expect(info).toMatchObject({ provider, version: expect.stringMatching(/^\d+\.\d+/), bytes: expect.any(Number) })
    expect(info['bytes']).toBeGreaterThan(4_096)
    if (kind === 'SQLite') {
      expect(info).toMatchObject({
        ...{ file: expect.stringMatching(/\.db$/), wal_bytes: expect.any(Number), disk_free_bytes: expect.any(Number) },
        details: { journal_mode: 'wal', synchronous: 'NORMAL', page_size: 4_096, busy_timeout_ms: 30_000 },
      })
    }
  })

  it('GET /schema/status tells how the migrations are', async () => {
    const status = (await app().get(`${ADMIN}/schema/status`)).json<{ state: string; migrations: unknown[] }>()
    expect(status).toMatchObject({ state: 'current', differing: [] })
    expect(status.migrations[0]).toEqual({
      ...{ name: expect.stringMatching(/^\d{14}_/), checksum: expect.stringMatching(/^[0-9a-f]{64}$/) },
      ...{ is_finished: true, is_rolled_back: false },
    })
  })

  it('makes a backup, lists it, serves it byte for byte, and verifies it until it is damaged', async () => {
    await app().create()
    expect((await app().get(`${ADMIN}/backups`)).json()).toEqual([])
    const made = await app().send('POST', `${ADMIN}/backup`)
    expect(made.statusCode).toBe(201)
    const backup = made.json<{ name: string; bytes: number; sha256: string; rows: Record<string, number> }>()
    expect(backup.rows['personas']).toBe(1)
    const url = `${ADMIN}/backups/${backup.name}`
    expect(made.headers['location']).toBe(url)
    expect((await app().get(`${ADMIN}/backups`)).json()).toMatchObject([{ name: backup.name }])

    const file = await app().get(url)
    expect(file.headers).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-length': String(backup.bytes),
      'content-disposition': `attachment; filename="${backup.name}"`,
    })
    expect(createHash('sha256').update(file.rawPayload).digest('hex')).toBe(backup.sha256)

    expect((await app().send('POST', `${url}/verify`)).json()).toMatchObject({ name: backup.name, is_sound: true })
    writeFileSync(join(folder, backup.name), file.rawPayload.subarray(1))
    const verified = await app().send('POST', `${url}/verify`)
    expect([verified.statusCode, verified.json<{ type: string }>().type]).toEqual([
      500,
      'urn:gator-personas:problem:backup-failed',
    ])
  })

  it.each(['..%2fgator.db', '%2e%2e%2f%2e%2e%2fetc%2fpasswd', 'gator.db', '.gator-backup-lock', 'a%00b'])(
    'knows no backup %s',
    async (name) => {
      writeFileSync(join(folder, '.gator-backup-lock'), '')
      for (const response of [
        await app().get(`${ADMIN}/backups/${name}`),
        await app().send('POST', `${ADMIN}/backups/${name}/verify`),
      ]) {
        expect(response.statusCode).toBe(404)
      }
    },
  )

  it('POST /checkpoint empties the WAL where there is one', async () => {
    const response = await app().sendJson('POST', `${ADMIN}/checkpoint`, { mode: 'truncate' })
    if (kind === 'PostgreSQL') return expect(response.statusCode).toBe(409)
    expect(response.json()).toEqual({ mode: 'truncate', is_complete: true, is_busy: false, frames: 0, checkpointed: 0 })
    expect((await app().get(`${ADMIN}/info`)).json()).toMatchObject({ wal_bytes: 0 })
    expect((await app().sendJson('POST', `${ADMIN}/checkpoint`, { mode: 'full' })).statusCode).toBe(422)
  })

  it('GET /contention tells who waits and who makes others wait', async () => {
    const contention = (await app().get(`${ADMIN}/contention`)).json<{ workers: unknown[] }>()
    expect(contention).toMatchObject({ advice: [] })
    expect(contention.workers).toMatchObject([
      { refused: { 'lock-timeout': 0, 'queue-full': 0 }, waits: { count: expect.any(Number) } },
    ])
  })

  describe('from elsewhere', () => {
    const everything = [
      ...['info', 'schema/status', 'backups', 'backups/x', 'contention'].map((path) => ['GET', path] as const),
      ...['backup', 'backups/x/verify', 'checkpoint'].map((path) => ['POST', path] as const),
    ]
    it.each<[string, { remoteAddress?: string; headers?: Record<string, string> }]>([
      ['another machine', { remoteAddress: '10.0.0.7' }],
      ['another machine over IPv6', { remoteAddress: '::ffff:10.0.0.7' }],
      ['a proxy', { headers: { 'x-forwarded-for': '10.0.0.7' } }],
      ['a proxy that names the host', { headers: { 'x-forwarded-host': 'api.example' } }],
      ['a proxy of RFC 7239', { headers: { forwarded: 'for=10.0.0.7' } }],
      ['a page', { headers: { origin: PAGE } }],
      ['a page that names this machine', { headers: { host: 'evil.example' } }],
    ])('(%s) everything is refused', async (_who, options) => {
      for (const [method, path] of everything) {
        const response = await app().send(method, `${ADMIN}/${path}`, options)
        expect([path, response.statusCode, response.json<{ type: string }>().type]).toEqual([
          path,
          403,
          'urn:gator-personas:problem:loopback-only',
        ])
      }
    })

    it.each(['127.0.0.1', '127.8.9.10', '::1', '::ffff:127.0.0.1'])('(%s is this machine)', async (remoteAddress) => {
      expect((await app().send('GET', `${ADMIN}/info`, { remoteAddress })).statusCode).toBe(200)
    })
  })
})
