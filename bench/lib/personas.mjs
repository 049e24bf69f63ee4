/** What the databases of the benchmarks hold: personas 0 to n - 1, about 1.2 KB each as they are answered. */

/** The id of the persona with this number. */
export function idOf(index) {
  return `01900000-0000-7000-8000-${String(index).padStart(12, '0')}`
}

/** The appearance, and the personality, of each of them. */
export const DESCRIPTION = 'short silver hair, round glasses, a navy blazer; '.repeat(8)

/** 2026-01-01, when the first persona was made; each of the others is a second younger than the one before it. */
export const FIRST_CREATED_AT = 1_767_225_600

export const PERSONAS_PATH = '/api/v1/personas'
export const CONSTANT_PATH = '/bench/constant'

/** As many bytes as a persona is answered with. */
export const CONSTANT_BODY = JSON.stringify({ constant: 'x'.repeat(1_240) })
