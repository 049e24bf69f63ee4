import { BASE_IMAGE_STATUSES, CONTENT_RATINGS, PLATFORM_RESTRICTIONS, type PersonaFields } from './persona.js'
import { at, type Fault, isJsonObject, pointerToken, type Rule } from '../validation/rule.js'

export type Ratings = Pick<PersonaFields, 'defaultContentRating' | 'allowedContentRatings'>

const NAME_LENGTH = { min: 2, max: 100 }
const TEXT_LENGTH = { min: 10, max: 2000 }
const MAX_BASE_DESCRIPTION = 5000
const MAX_IMAGE_PATH = 500
const MAX_THEMES = 10
const MAX_JSON_BYTES = 65_536
export const MAX_JSON_DEPTH = 32
const REFUSED_IN_NAMES = /[<>&']/
const REFUSED_THEMES = ['illegal activity', 'hate speech', 'violence', 'adult content']

const ok: readonly Fault[] = []
const fault = (detail: string, pointer = ''): readonly Fault[] => [{ pointer, detail }]

/** A string whose length, in Unicode code points, lies within the bounds. */
function text(bounds: { min?: number; max: number }): Rule {
  const { min = 0, max } = bounds
  const expected = min > 0 ? `${min} to ${max} characters` : `at most ${max} characters`
  return (value) => {
    if (typeof value !== 'string') return fault('must be a string')
    const length = codePoints(value)
    return length < min || length > max ? fault(`must have ${expected}, has ${length}`) : ok
  }
}

function orNull(rule: Rule): Rule {
  return (value) => (value === null ? ok : rule(value))
}

function oneOf(values: readonly string[]): Rule {
  return (value) =>
    typeof value === 'string' && values.includes(value) ? ok : fault(`must be one of ${values.join(', ')}`)
}

const isBoolean: Rule = (value) => (typeof value === 'boolean' ? ok : fault('must be true or false'))

const name: Rule = (value) => {
  const isRefused = typeof value === 'string' && REFUSED_IN_NAMES.test(value)
  return [...text(NAME_LENGTH)(value), ...(isRefused ? fault("must not contain any of < > & '") : ok)]
}

const themes: Rule = (value) => {
  if (!Array.isArray(value)) return fault('must be an array of strings')
  const faults = value.flatMap((theme, index) => themeFaults(theme, `/${index}`))
  if (value.length > MAX_THEMES) faults.push(...fault(`must have at most ${MAX_THEMES} themes, has ${value.length}`))
  return faults.length > 0 ? faults : sizeFaults(value)
}

function themeFaults(theme: unknown, pointer: string): readonly Fault[] {
  if (typeof theme !== 'string') return fault('must be a string', pointer)
  const refused = REFUSED_THEMES.find((word) => theme.toLowerCase().includes(word))
  return refused === undefined ? ok : fault(`must not contain "${refused}"`, pointer)
}

const allowedRatings: Rule = (value) => {
  if (!Array.isArray(value)) return fault('must be an array of content ratings')
  if (value.length === 0) return fault('must have at least one content rating')
  const rating = oneOf(CONTENT_RATINGS)
  const seen = new Set<unknown>()
  return value.flatMap((item, index) => {
    if (seen.has(item)) return fault('must not be there twice', `/${index}`)
    seen.add(item)
    return at(`/${index}`, rating(item))
  })
}

/** An object that can be merged into another: merging is recursive, so its depth is limited. */
export const mergeableObject: Rule = (value) => {
  if (!isJsonObject(value)) return fault('must be an object')
  return depthExceeds(value, MAX_JSON_DEPTH) ? fault(`must not be nested more than ${MAX_JSON_DEPTH} deep`) : ok
}

/** Any JSON object within the limits of size and depth. */
const jsonObject: Rule = (value) => {
  const faults = mergeableObject(value)
  return faults.length > 0 ? faults : sizeFaults(value)
}

function sizeFaults(value: unknown): readonly Fault[] {
  const bytes = Buffer.byteLength(JSON.stringify(value))
  return bytes > MAX_JSON_BYTES ? fault(`must not be larger than ${MAX_JSON_BYTES} bytes as JSON, is ${bytes}`) : ok
}

/** An object that keeps a rule, with a value for each key that keeps another. */
function entriesOf(object: Rule, entry: Rule): Rule {
  return (value) => {
    const faults = object(value)
    if (faults.length > 0 || !isJsonObject(value)) return faults
    return Object.entries(value).flatMap(([key, item]) => at(`/${pointerToken(key)}`, entry(item)))
  }
}

const restriction = oneOf(PLATFORM_RESTRICTIONS)

/** What may be merged into platform restrictions: null removes one. */
export const mergeableRestrictions = entriesOf(mergeableObject, orNull(restriction))

/** The rule of each writable field: the same on create and on every kind of update. */
export const personaRules: Readonly<Record<keyof PersonaFields, Rule>> = {
  name,
  appearance: text(TEXT_LENGTH),
  personality: text(TEXT_LENGTH),
  contentThemes: themes,
  stylePreferences: jsonObject,
  defaultContentRating: oneOf(CONTENT_RATINGS),
  allowedContentRatings: allowedRatings,
  platformRestrictions: entriesOf(jsonObject, restriction),
  baseAppearanceDescription: orNull(text({ max: MAX_BASE_DESCRIPTION })),
  baseImagePath: orNull(text({ max: MAX_IMAGE_PATH })),
  appearanceLocked: isBoolean,
  baseImageStatus: oneOf(BASE_IMAGE_STATUSES),
  isActive: isBoolean,
}

/** The fault of ratings that a persona may not have together; none as long as one of them is not known. */
export function ratingFaults(ratings: Partial<Ratings>): readonly Fault[] {
  const { defaultContentRating: rating, allowedContentRatings: allowed } = ratings
  if (!rating || !allowed || allowed.includes(rating)) return ok
  // Imported ratings may be anything that JSON is, an object without a text of its own included.
  const shown = allowed.map((item: unknown) => (typeof item === 'string' ? item : JSON.stringify(item)))
  const detail = `"${rating}" must be one of allowed_content_ratings (${shown.join(', ')})`
  return fault(detail, '/default_content_rating')
}

function codePoints(value: string): number {
  let count = 0
  for (const character of value) if (character !== '') count++
  return count
}

/**
 * Whether there are objects or arrays below so many levels. Looked for level by level and not recursively: a hostile
 * document must not exhaust the stack.
 */
export function depthExceeds(root: object, limit: number): boolean {
  let level: object[] = [root]
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > limit) return true
    level = level.flatMap(childObjects)
  }
  return false
}

function childObjects(node: object): object[] {
  return Object.values(node).filter((child: unknown): child is object => typeof child === 'object' && child !== null)
}
