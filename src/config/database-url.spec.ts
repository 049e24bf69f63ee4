import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { parseDatabaseUrl } from './database-url.js'

describe('an SQLite file behind a link', () => {
  let folder: string
  beforeEach(() => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'gator-link-')))
    mkdirSync(join(folder, 'real'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  const fileOf = (...parts: string[]) => {
    const target = parseDatabaseUrl(`file:${join(folder, ...parts)}`)
    return target?.provider === 'sqlite' ? target.file : undefined
  }

  it('is the file itself: its log and its disk are there', () => {
    writeFileSync(join(folder, 'real', 'a.db'), '')
    symlinkSync(join('real', 'a.db'), join(folder, 'link.db'))
    expect(fileOf('link.db')).toBe(join(folder, 'real', 'a.db'))
  })

  it('is where the file will be, when there is none yet', () => {
    symlinkSync(join(folder, 'real', 'new.db'), join(folder, 'link.db'))
    expect(fileOf('link.db')).toBe(join(folder, 'real', 'new.db'))
    symlinkSync('real', join(folder, 'linked-folder'))
    expect(fileOf('linked-folder', 'sub', 'b.db')).toBe(join(folder, 'real', 'sub', 'b.db'))
  })

  it('stays what it is without a link', () => {
    expect(fileOf('real', 'c.db')).toBe(join(folder, 'real', 'c.db'))
  })
})
