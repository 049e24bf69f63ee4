import { describe, expect, it } from '@jest/globals'
import type { Type } from '@nestjs/common'
import fc from 'fast-check'
import { IsInt, IsOptional } from 'class-validator'
import {
  CountGenerationsDto,
  CreatePersonaDto,
  PatchPersonaDto,
  UpdatePersonaDto,
} from '../personas/dto/persona.dto.js'
import { Satisfies } from './satisfies.decorator.js'
import { faultsOf, fieldsOf, isSound, validateDto } from './validate-dto.js'

const SOUND: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  name: fc.constant('Sarah'),
  appearance: fc.constant('short silver hair'),
  personality: fc.constant('curious and warm'),
  content_themes: fc.constant(['technology']),
  style_preferences: fc.constant({ palette: 'cool' }),
  default_content_rating: fc.constantFrom('sfw', 'nsfw'),
  allowed_content_ratings: fc.constant(['sfw', 'moderate']),
  platform_restrictions: fc.constant({ instagram: 'sfw_only' }),
  base_appearance_description: fc.constant('as in the first picture'),
  base_image_path: fc.constant('images/sarah.png'),
  appearance_locked: fc.boolean(),
  base_image_status: fc.constantFrom('draft', 'approved'),
  is_active: fc.boolean(),
  count: fc.integer({ min: 1, max: 1_000 }),
}

/** Mostly what is sound, here and there anything. */
const documents = fc.record(
  Object.fromEntries(
    Object.entries(SOUND).map(([field, sound]) => [
      field,
      fc.oneof({ weight: 6, arbitrary: sound }, { weight: 1, arbitrary: fc.jsonValue() }),
    ]),
  ),
  { requiredKeys: [] },
)
const complete = documents.map((document) => ({
  name: 'Sarah',
  appearance: 'silver hair',
  personality: 'curious and warm',
  ...document,
}))

describe('the short way to see that a body is sound', () => {
  it.each<Type<object>>([CreatePersonaDto, UpdatePersonaDto, PatchPersonaDto, CountGenerationsDto])(
    'agrees with class-validator on %p',
    (dtoClass) => {
      const seen = { sound: 0, faulty: 0 }
      fc.assert(
        fc.property(fc.oneof(documents, complete), (document) => {
          const { dto, faults } = validateDto(dtoClass, document)
          const expected = faultsOf(dto)
          expect(faults).toEqual(expected)
          expect(isSound(dto, dtoClass)).toBe(expected.length === 0)
          seen[expected.length === 0 ? 'sound' : 'faulty'] += 1
        }),
        { numRuns: 300 },
      )
      expect(Math.min(seen.sound, seen.faulty)).toBeGreaterThan(10)
    },
  )

  it('is not taken for a class that declares anything else', () => {
    class Plain {
      @IsOptional()
      @Satisfies(() => [])
      ruled?: unknown
    }
    class Other extends Plain {
      @IsInt()
      number!: number
    }
    class Each {
      @IsInt({ each: true })
      numbers!: number[]
    }
    class Some {
      @IsOptional({ each: true })
      @Satisfies(() => [])
      values?: unknown
    }
    expect(isSound(new Plain(), Plain)).toBe(true)
    expect(isSound(Object.assign(new Other(), { number: 1 }), Other)).toBe(false)
    expect([isSound(new Each(), Each), isSound(new Some(), Some)]).toEqual([false, false])
    expect(validateDto(Other, { number: 'one' }).faults).toHaveLength(1)
    expect(fieldsOf(Other)).toEqual(new Set(['ruled', 'number']))
  })
})
