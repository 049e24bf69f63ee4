import { describe, expect, it } from '@jest/globals'
import type { Type } from '@nestjs/common'
import { GetPersonaQuery } from '../personas/dto/get-persona.query.js'
import { ListPersonasQuery } from '../personas/dto/list-personas.query.js'
import { ValidationFailedError } from '../validation/validation-failed.error.js'
import { QueryPipe } from './query.pipe.js'

describe('QueryPipe', () => {
  const pipe = new QueryPipe()
  const made = (query: Record<string, unknown>, metatype: Type<object> = ListPersonasQuery) =>
    pipe.transform(query, { type: 'query', metatype })

  it('makes the same of the same query, and something else of any other', () => {
    const first = made({ limit: '5' })
    expect(first).toMatchObject({ limit: 5, skip: 0 })
    expect(made({ limit: '5' })).toBe(first)
    expect(made({ limit: '6' })).toMatchObject({ limit: 6 })
    expect(made({ theme: ['a', 'b'] })).not.toEqual(made({ theme: 'a,b' }))
    expect(made({ limit: '5' }, GetPersonaQuery)).toBeInstanceOf(GetPersonaQuery)
  })

  it('lets nobody change what others will get', () => {
    expect(() => Object.assign(made({ skip: '3' }), { skip: 4 })).toThrow(TypeError)
  })

  it('refuses what is wrong every time', () => {
    for (let time = 0; time < 3; time++) expect(() => made({ limit: '0' })).toThrow(ValidationFailedError)
  })

  it('remembers nothing that is long', () => {
    const query = { q: 'silver'.repeat(33) }
    expect(made(query)).toEqual(made(query))
    expect(made(query)).not.toBe(made(query))
  })
})
