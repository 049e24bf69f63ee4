import { isDeepStrictEqual } from 'node:util'
import { isJsonObject, pointerToken } from '../validation/rule.js'

/** An operation of a JSON patch (RFC 6902). */
export type PatchOperation =
  | { readonly op: 'add' | 'replace'; readonly path: string; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: string }

/**
 * The JSON patch (RFC 6902) that makes `after` of `before`: objects are compared key by key, arrays and everything else
 * are replaced as a whole. None for values that are equal, whatever the order of their keys.
 */
export function jsonPatchBetween(before: unknown, after: unknown, path = ''): PatchOperation[] {
  if (isDeepStrictEqual(before, after)) return []
  if (!isJsonObject(before) || !isJsonObject(after)) return [{ op: 'replace', path, value: after }]
  const removed = Object.keys(before).filter((key) => !Object.hasOwn(after, key))
  const removals = removed.map((key): PatchOperation => ({ op: 'remove', path: `${path}/${pointerToken(key)}` }))
  const others = Object.entries(after).flatMap(([key, value]): PatchOperation[] => {
    const place = `${path}/${pointerToken(key)}`
    return Object.hasOwn(before, key)
      ? jsonPatchBetween(before[key], value, place)
      : [{ op: 'add', path: place, value }]
  })
  return [...removals, ...others]
}
