import { isDeepStrictEqual } from 'node:util'
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { type Persona, PERSONA_DEFAULTS, PERSONA_FIELDS, type PersonaChanges } from './persona.js'
import { StaleVersionError } from './persona.errors.js'
import { type EditScope, mergeStaleEdit, type Since } from './stale-edit.js'

const BASE: Persona = {
  ...PERSONA_DEFAULTS,
  id: '019aaf3e-8f63-7b12-9d3c-2f1f5d0c8a11',
  name: 'Sarah',
  appearance: 'short silver hair',
  personality: 'curious and warm',
  generationCount: 0,
  version: 1,
  createdAt: new Date(0),
  updatedAt: new Date(0),
}

/** Some fields with one of a few values each, so that two edits often mean the same field, and sometimes the same value. */
const changes: fc.Arbitrary<PersonaChanges> = fc.record(
  {
    name: fc.constantFrom('Sarah', 'Sara', 'Sarah Lin'),
    contentThemes: fc.constantFrom([], ['technology'], ['art', 'technology']),
    stylePreferences: fc.constantFrom({}, { a: 1 }, { a: 1, b: { c: [2] } }),
    baseImagePath: fc.constantFrom(null, 'a.png'),
    isActive: fc.boolean(),
  },
  { requiredKeys: [] },
)

/** Fields that were changed since, perhaps to be what they were. */
const changedBack = fc.subarray<keyof PersonaChanges>(['name', 'contentThemes', 'baseImagePath'])

const merged = (scope: EditScope, wanted: PersonaChanges, current: Persona, since: Since) => {
  try {
    return { ...current, ...mergeStaleEdit({ scope, changesOf: () => wanted }, current, since) }
  } catch (error) {
    if (error instanceof StaleVersionError) return error
    throw error
  }
}

describe('an edit that was made from an older version', () => {
  it.each(['given', 'differing', 'whole'] as const)('never overwrites what was changed since: scope %s', (scope) => {
    fc.assert(
      fc.property(changes, changes, changedBack, changedBack, (theirs, wanted, back, unsure) => {
        const current = { ...BASE, ...theirs, version: 2 }
        const changedSince = PERSONA_FIELDS.filter(
          (field) => [...back, ...unsure].includes(field) || !isDeepStrictEqual(current[field], BASE[field]),
        )
        const about = PERSONA_FIELDS.filter(
          (field) =>
            scope === 'whole' ||
            (field in wanted &&
              (scope === 'given' || unsure.includes(field) || !isDeepStrictEqual(wanted[field], BASE[field]))),
        )
        const overlap = about.filter((field) => changedSince.includes(field))
        const outcome = merged(scope, wanted, current, {
          base: BASE,
          unsure: new Set(unsure),
          changed: new Set(changedSince),
        })
        if (outcome instanceof StaleVersionError) {
          expect(overlap).not.toEqual([])
          expect(outcome.conflicts.map(({ field }) => field)).toEqual(overlap)
          for (const { field, base, current: now } of outcome.conflicts) {
            expect({ base, now }).toEqual({ base: BASE[field], now: current[field] })
          }
          return
        }
        expect(overlap).toEqual([])
        for (const field of PERSONA_FIELDS) {
          expect(outcome[field]).toEqual(about.includes(field) && field in wanted ? wanted[field] : current[field])
        }
      }),
    )
  })

  it('is refused when what it was made from is not known', () => {
    const edit = { scope: 'given', changesOf: () => ({ name: 'Sara' }) } as const
    expect(() => mergeStaleEdit(edit, BASE, null)).toThrow(StaleVersionError)
  })
})
