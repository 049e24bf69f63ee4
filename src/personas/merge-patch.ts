import { isJsonObject } from '../validation/rule.js'

/**
 * JSON merge patch (RFC 7396): objects merge key by key, null removes a key, everything else replaces. Neither argument
 * is changed. The recursion is as deep as the patch, whose depth has been checked before.
 */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isJsonObject(patch)) return patch
  const merged = new Map(isJsonObject(target) ? Object.entries(target) : [])
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) merged.delete(key)
    else merged.set(key, mergePatch(merged.get(key), value))
  }
  return Object.fromEntries(merged)
}
