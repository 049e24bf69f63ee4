import { describe, expect, it } from '@jest/globals'
import { structureFaults } from './json-structure.js'

const faultsOf = (json: string) => structureFaults(JSON.parse(json)).map((fault) => fault.pointer)

describe('structureFaults', () => {
  it.each([
    ['{"a":{"b":[1,"x",null,true,1.5,-1e-9]}}', []],
    ['{"a":"\\u0000"}', ['/a']],
    ['{"a\\u0000":1}', ['']],
    ['{"a":["ok","\\ud800"]}', ['/a/1']],
    ['{"a":"\\ud83d\\ude00"}', []],
    ['{"a":1e400,"b":-1e400}', ['/a', '/b']],
    ['{"a":9007199254740991,"b":9007199254740992}', ['/b']],
    ['{"a":{"__proto__":{"b":1}}}', ['/a/__proto__']],
    ['{"a/b":{"c~d":"\\u0000"}}', ['/a~1b/c~0d']],
  ])('of %s are at %j', (json, pointers) => {
    expect(faultsOf(json)).toEqual(pointers)
  })

  it('does not exhaust the stack, and stops counting', () => {
    expect(faultsOf('['.repeat(100_000) + ']'.repeat(100_000))).toEqual([])
    expect(faultsOf(`[${'"\\u0000",'.repeat(5_000)}1]`).length).toBeLessThanOrEqual(100)
  })
})
