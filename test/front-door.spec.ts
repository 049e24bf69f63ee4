import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from '@jest/globals'

const root = process.cwd()
const folders: string[] = []

function aFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'gator-front-door-'))
  folders.push(folder)
  return folder
}

/** A checkout in which nothing has been installed yet. */
function freshCheckout(): string {
  const folder = aFolder()
  for (const name of [
    'scripts',
    'package.json',
    'package-lock.json',
    'tsconfig.json',
    'tsconfig.build.json',
    'prisma',
  ]) {
    cpSync(join(root, name), join(folder, name), { recursive: true })
  }
  return folder
}

/** A PATH that has Node and npm, and of the tools only those given: they need do no more than say their version. */
function pathWith(...tools: string[]): string {
  const bin = aFolder()
  for (const name of ['node', 'npm', 'sh']) {
    const found = (process.env.PATH ?? '').split(':').find((folder) => existsSync(join(folder, name)))
    if (found !== undefined) symlinkSync(join(found, name), join(bin, name))
  }
  for (const tool of tools) writeFileSync(join(bin, tool), '#!/bin/sh\nexit 0\n', { mode: 0o755 })
  return bin
}

function prepare(folder: string, environment: Record<string, string>): { code: number | null; output: string } {
  const child = spawnSync(process.execPath, ['scripts/prepare.mjs'], {
    cwd: folder,
    env: environment,
    encoding: 'utf8',
  })
  return { code: child.status, output: child.stdout + child.stderr }
}

describe('npm start and npm test, before anything else', () => {
  afterAll(() => {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true })
  })

  it.each([
    ['a C++ compiler', ['make', 'cc', 'python3']],
    ['make', ['cc', 'c++', 'python3']],
    ['Python 3', ['make', 'cc', 'c++']],
  ])('name %s in plain words when it is missing, and install nothing', (name, tools) => {
    const folder = freshCheckout()
    const { code, output } = prepare(folder, { PATH: pathWith(...tools), HOME: aFolder() })
    expect(code).toBe(1)
    expect(output).toMatch(new RegExp(`^gator: ${name.replaceAll('+', '\\+')} could not be found`, 'm'))
    expect(output).toMatch(/apt-get install make g\+\+ python3/)
    expect(output).not.toMatch(/^\s+at /m)
    expect(existsSync(join(folder, 'node_modules'))).toBe(false)
  })

  it('say in plain words that the lock file does not fit', () => {
    const folder = freshCheckout()
    const manifest = join(folder, 'package.json')
    writeFileSync(manifest, '{"name":"x","version":"1.0.0","dependencies":{"not-in-the-lock-file":"1.0.0"}}')
    const { code, output } = prepare(folder, { PATH: process.env.PATH ?? '', HOME: aFolder() })
    expect([code, output]).toEqual([1, expect.stringMatching(/^gator: /m)])
  })

  it('do nothing, and say nothing, when everything is up to date', () => {
    const before = statSync(join(root, 'dist', 'main.js')).mtimeMs
    const { code, output } = prepare(root, { PATH: process.env.PATH ?? '' })
    expect([code, output]).toEqual([0, ''])
    expect(statSync(join(root, 'dist', 'main.js')).mtimeMs).toBe(before)
  })
})
