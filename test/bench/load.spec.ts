import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from '@jest/globals'
import { readAnswer } from '../../bench/lib/drive.mjs'
import { Ledger } from '../../bench/lib/ledger.mjs'

const folder = mkdtempSync(join(tmpdir(), 'gator-bench-spec-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

interface Result {
  readonly measurements: readonly {
    readonly route: string
    readonly requests: number
    readonly statuses: Readonly<Record<string, number>>
    readonly wrong: number
    readonly readBack?: number
    readonly p99: number
  }[]
}

const aPersona = (version: number, image: string) =>
  Buffer.from(JSON.stringify({ id: 'x', base_image_path: image, version, created_at: 'then' }))

describe('npm run bench', () => {
  it('measures a route beside the constant one, and reads back what it has written', () => {
    const out = join(folder, 'result.json')
    const cell = ['--only', 'sqlite', '--route', 'mix-50-skewed']
    const length = ['--starts', '1', '--seconds', '0.3', '--warm-up', '0.2']

    const run = spawnSync(process.execPath, ['bench/bench.mjs', '--quick', ...cell, ...length, '--out', out], {
      encoding: 'utf8',
    })

    expect(run).toMatchObject({ status: 0, stdout: expect.stringContaining('| 50% PUT, skewed keys | SQLite | 1 |') })
    const { measurements } = JSON.parse(readFileSync(out, 'utf8')) as Result
    expect(measurements.map(({ route }) => route)).toEqual(['constant', 'mix-50-skewed'])
    for (const { requests, statuses, wrong, p99 } of measurements) {
      expect(requests).toBeGreaterThan(0)
      expect(statuses).toEqual({ 200: requests })
      expect(wrong).toBe(0)
      expect(p99).toBeGreaterThan(0)
    }
    expect(measurements[1]?.readBack).toBeGreaterThan(0)
  })
})

describe('the ledger of the load', () => {
  it('holds a row against the answer with the highest version, whichever came last', () => {
    const ledger = new Ledger()
    ledger.record(7, 'images/newer.png', aPersona(12, 'images/newer.png'))
    ledger.record(7, 'images/older.png', aPersona(11, 'images/older.png'))

    expect(ledger.sample(10)).toEqual([7])
    expect(ledger.agrees(7, aPersona(12, 'images/newer.png'))).toBe(true)
    expect(ledger.agrees(7, aPersona(11, 'images/older.png'))).toBe(false)
    expect(ledger.agrees(7, aPersona(13, 'images/newer.png'))).toBe(false)
    expect(ledger.agrees(8, aPersona(1, 'images/newer.png'))).toBe(false)
  })
})

describe('an answer', () => {
  const head = 'HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\nContent-Length: 5'

  it.each([`${head}\r\n`, `${head}\r\n\r\n`, `${head}\r\n\r\nfive`])('is waited for: %j', (part) => {
    expect(readAnswer(Buffer.from(part))).toBeUndefined()
  })

  it('is taken apart', () => {
    const whole = readAnswer(Buffer.from(`${head}\r\n\r\nfive!`))
    expect(whole).toMatchObject({ status: 200, body: Buffer.from('five!') })
    const notModified = readAnswer(Buffer.from('HTTP/1.1 304 Not Modified\r\netag: "1.0"\r\n\r\n'))
    expect(notModified).toMatchObject({ status: 304, body: Buffer.alloc(0) })
  })

  it('must say how long it is, and be no longer', () => {
    expect(() => readAnswer(Buffer.from('HTTP/1.1 200 OK\r\n\r\n'))).toThrow('does not say how long')
    expect(() => readAnswer(Buffer.from(`${head}\r\n\r\nfive!!`))).toThrow('longer than it says')
  })
})
