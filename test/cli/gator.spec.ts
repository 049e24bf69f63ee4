import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, describe, expect, it } from '@jest/globals'
import { createProgram } from '../../src/cli/program.js'
import { readMigrationFiles } from '../../src/database/migrations/migration-files.js'
import { packageInfo, packageRoot } from '../../src/package-root.js'
import { Sandbox } from '../processes/sandbox.js'
import { gator, startGator } from '../support/gator.js'

describe('gator', () => {
  const sandbox = new Sandbox()
  afterEach(() => sandbox.clear())

  it('prints its help, and that of each command, without touching anything', async () => {
    const folder = sandbox.emptyFolder()
    const names = createProgram().commands.map((command) => command.name())
    expect(names).toEqual(expect.arrayContaining(['serve', 'migrate', 'demo', 'import-legacy']))
    const calls = [['--help'], ...names.map((name) => ['help', name])]
    const exits = await Promise.all(calls.map((words) => gator(words, { folder })))
    for (const [index, { code, stdout, stderr }] of exits.entries()) {
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      expect(stdout).toMatch(new RegExp(`^Usage: gator ${index === 0 ? '' : (names[index - 1] ?? '')}`))
    }
    for (const name of names) expect(exits[0]?.stdout).toContain(`\n  ${name}`)
    expect(existsSync(join(folder, 'gator.db'))).toBe(false)
  })

  it('prints its version', async () => {
    const { stdout } = await gator(['--version'], { folder: sandbox.emptyFolder() })
    expect(stdout.trim()).toBe(packageInfo.version)
  })

  it.each([
    [['unknown'], {}, "unknown command 'unknown'"],
    [['migrate', '--unknown'], {}, "unknown option '--unknown'"],
    [['migrate'], { DATABASE_URL: 'mysql://user:secret@host/db' }, 'DATABASE_URL must be file:'],
  ])('ends with 2 when it is called wrongly: %j %j', async (words, env, message) => {
    const { code, stdout, stderr } = await gator(words, { folder: sandbox.emptyFolder(), env })
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain(message)
    expect(stderr).not.toMatch(/secret|^ +at /m)
  })

  it('migrates: says what is pending, applies it, and has nothing to do after that', async () => {
    const folder = sandbox.emptyFolder()
    const run = async (...words: string[]) => {
      const { code, stdout } = await gator(['migrate', '--json', ...words], { folder })
      return { code, ...(JSON.parse(stdout) as object) }
    }
    const migrations = readMigrationFiles('sqlite').map(({ name }) => name)
    expect(await run('--dry-run')).toEqual({ code: 1, ok: true, state: 'behind', migrations })
    expect(existsSync(join(folder, 'gator.db'))).toBe(false)
    expect(await run()).toEqual({ code: 0, ok: true, state: 'current', applied: migrations })
    expect(await run()).toEqual({ code: 0, ok: true, state: 'current', applied: [] })
    expect(await run('--dry-run')).toEqual({ code: 0, ok: true, state: 'current', migrations: [] })
    const { stdout } = await gator(['migrate'], { folder })
    expect(stdout).toBe('current\n')
  })

  it('says in JSON, too, why a command failed', async () => {
    const { code, stdout } = await gator(['migrate', '--json'], {
      folder: sandbox.emptyFolder(),
      env: { DATABASE_URL: 'postgresql://postgres@127.0.0.1:1/nowhere' },
    })
    expect(code).toBe(1)
    expect(JSON.parse(stdout)).toEqual({
      ok: false,
      error: 'The database cannot be used: connect ECONNREFUSED 127.0.0.1:1',
    })
  })

  it('says in JSON, too, that it was called wrongly', async () => {
    const { code, stdout } = await gator(['migrate', '--json', '--unknown'], { folder: sandbox.emptyFolder() })
    expect({ code, ...(JSON.parse(stdout) as object) }).toEqual({
      code: 2,
      ok: false,
      error: expect.stringContaining("unknown option '--unknown'"),
    })
  })

  it('is what npx runs in the checkout', () => {
    const env = { PATH: process.env['PATH'], HOME: sandbox.emptyFolder(), npm_config_offline: 'true' }
    const { status, stdout } = spawnSync('npx', ['gator', '--version'], { cwd: packageRoot, env, encoding: 'utf8' })
    expect([status, stdout.trim()]).toEqual([0, packageInfo.version])
  })

  it('serves with workers, as npm start does, and stops in order', async () => {
    const folder = sandbox.folder()
    const child = startGator(['serve'], { folder, env: { PORT: '0', WORKERS: '2', LOG_FORMAT: 'json' } })
    try {
      const lines = createInterface({ input: child.stdout ?? process.stdin })
      let url = ''
      for await (const line of lines) {
        const entry = JSON.parse(line) as { msg: string; url?: string }
        url ||= entry.url ?? ''
        if (entry.msg === 'all workers listen') break
      }
      expect((await fetch(`${url}/health`, { headers: { connection: 'close' } })).status).toBe(200)
      child.stdout?.resume()
      child.kill('SIGTERM')
      expect(await once(child, 'exit')).toEqual([0, null])
    } finally {
      child.kill('SIGKILL')
    }
  })
})
