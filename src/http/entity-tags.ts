const ENTITY_TAG = /(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"/g
const ENTITY_TAG_LIST =
  /^\s*(?:,\s*)*(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"(?:\s*,\s*(?:(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*")?)*\s*$/

/**
 * The entity tags of an `If-Match` or `If-None-Match` header (RFC 9110, section 13.1): `'*'`, or the tags as they are
 * written, or undefined when there is no such header. A header that is not a list of tags is a list that matches none.
 */
export function parseEntityTags(header: string | string[] | undefined): '*' | string[] | undefined {
  if (header === undefined) return undefined
  const value = [header].flat().join(',')
  if (value.trim() === '*') return '*'
  return ENTITY_TAG_LIST.test(value) ? (value.match(ENTITY_TAG) ?? []) : []
}

/** The weak comparison of `If-None-Match`: whether the client has the current representation. */
export function hasCurrent(tags: '*' | string[] | undefined, current: string): boolean {
  if (tags === undefined) return false
  return tags === '*' || tags.some((tag) => tag.replace(/^W\//, '') === current)
}
