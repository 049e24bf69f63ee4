/** What may stand between two tags: one comma at least. */
const SEPARATOR = /[\s,]*/y
const ENTITY_TAG = /(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"/y

/**
 * The entity tags of an `If-Match` or `If-None-Match` header (RFC 9110, section 13.1): `'*'`, or the tags as they are
 * written, or undefined when there is no such header. A header that is not a list of tags is a list that matches none.
 */
export function parseEntityTags(header: string | string[] | undefined): '*' | string[] | undefined {
  if (header === undefined) return undefined
  const value = [header].flat().join(',')
  if (value.trim() === '*') return '*'
  return tagsOf(value)
}

/** The weak comparison of `If-None-Match`: whether the client has the current representation. */
export function hasCurrent(tags: '*' | string[] | undefined, current: string): boolean {
  if (tags === undefined) return false
  return tags === '*' || tags.some((tag) => tag.replace(/^W\//, '') === current)
}

// Tag by tag: an expression for the whole list would try every way to share blanks out between commas.
function tagsOf(list: string): string[] {
  const tags: string[] = []
  for (let at = 0; ;) {
    const separator = matchAt(SEPARATOR, list, at)
    at += separator.length
    if (at === list.length) return tags
    const tag = matchAt(ENTITY_TAG, list, at)
    if (tag === '' || (tags.length > 0 && !separator.includes(','))) return []
    tags.push(tag)
    at += tag.length
  }
}

/** What a sticky expression matches at a place; empty when it does not. */
function matchAt(expression: RegExp, text: string, at: number): string {
  expression.lastIndex = at
  return expression.exec(text)?.[0] ?? ''
}
