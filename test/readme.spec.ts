import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { type TestApp, withApp } from './http/support.js'
import { onEachDatabase } from './support/databases.js'

interface Step {
  readonly command: string
  readonly output: string
}

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g
const TIME = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g

/** The commands of the README's session, each with the output that the README shows. */
function sessionOf(readme: string): Step[] {
  const block = /```console\n([\s\S]*?)```/.exec(readme)?.[1] ?? ''
  return block
    .split('$ ')
    .slice(1)
    .map((part) => {
      const [command = '', ...output] = part.trimEnd().split('\n')
      return { command, output: output.join('\n') }
    })
}

/** Splits a command as a shell does, as far as the README goes: words, and words in single quotes. */
function wordsOf(command: string): string[] {
  return [...command.matchAll(/'([^']*)'|(\S+)/g)].map((match) => match[1] ?? match[2] ?? '')
}

function pairOf(header: string): [string, string] {
  const [name = '', value = ''] = header.split(': ', 2)
  return [name, value]
}

/** What curl would print: the body, or the status where the README asks for it with -w. */
async function run(app: TestApp, command: string): Promise<string> {
  const words = wordsOf(command)
  const after = (flag: string) => words.flatMap((word, index) => (word === flag ? [words[index + 1] ?? ''] : []))
  const url = words.find((word) => word.startsWith('http://')) ?? ''
  const headers: Record<string, string> = Object.fromEntries(after('-H').map((header) => pairOf(header)))
  const method = (after('-X')[0] ?? 'GET') as 'GET'
  const [payload] = after('-d')
  const path = url.replace('http://127.0.0.1:8000', '')
  const response = await app.send(method, path, { headers, ...(payload && { payload }) })
  return words.includes('-w') ? String(response.statusCode) : response.body
}

describe("the README's session", () => {
  const steps = sessionOf(readFileSync(join(process.cwd(), 'README.md'), 'utf8'))

  onEachDatabase((kind) => {
    const app = withApp(kind)

    it('is what really comes back', async () => {
      expect(steps.length).toBeGreaterThan(5)
      const [shownId] = steps[0]?.output.match(UUID) ?? []
      let realId = ''
      for (const { command, output } of steps) {
        const real = await run(app(), command.replaceAll(String(shownId), realId))
        realId ||= real.match(UUID)?.[0] ?? ''
        const masked = (text: string) => text.replaceAll(UUID, '<id>').replaceAll(TIME, '<time>')
        expect({ command, output: masked(real) }).toEqual({ command, output: masked(output) })
      }
    })
  })
})

describe('SECURITY.md', () => {
  it('names tests that are there', () => {
    const named =
      readFileSync(join(process.cwd(), 'SECURITY.md'), 'utf8').match(/(?:src|test)\/[\w./-]+\.spec\.ts/g) ?? []
    expect(named.length).toBeGreaterThan(20)
    expect(named.filter((file) => !existsSync(join(process.cwd(), file)))).toEqual([])
  })
})
