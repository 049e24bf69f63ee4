import { describe, expect, it } from '@jest/globals'
import { aPersona, PERSONAS, withApp } from './support.js'

const KEYS = 40_000
const LONGEST_MS = 1_500
const nulKeys = Object.fromEntries(Array.from({ length: KEYS }, (_value, index) => [`\0${index}`, 1]))

// A body within the limit that is nothing but faults: telling them must not hold up everybody else.
describe('a body full of faults', () => {
  // They are refused before anybody asks the database: one is enough.
  const app = withApp('SQLite')

  it.each([
    ['keys that hold NUL', nulKeys],
    ['keys that hold NUL, one level down', aPersona({ style_preferences: nulKeys })],
    ['texts that hold NUL beside faulty themes', { x: Array(100).fill('\0'), content_themes: Array(100_000).fill(1) }],
    ['faulty ratings', aPersona({ allowed_content_ratings: Array(100_000).fill('x') })],
    ['unknown fields', Object.fromEntries(Array.from({ length: KEYS }, (_value, index) => [`field${index}`, 1]))],
  ])('of %s is answered soon', async (_case, body) => {
    const start = performance.now()
    const response = await app().sendJson('POST', PERSONAS, body)
    expect(response.statusCode).toBe(422)
    expect(performance.now() - start).toBeLessThan(LONGEST_MS)
  })
})
