import { MAX_VERSION, type Persona } from './persona.js'

/**
 * The strong ETag of a persona's representation: it changes with everything a client can see, the generation count
 * included. The version stands first, because a conditional write compares the version alone.
 */
export function etagOf(persona: Pick<Persona, 'version' | 'generationCount'>): string {
  return `"${persona.version}.${persona.generationCount}"`
}

/** The version in an ETag that {@link etagOf} made; null for any other entity tag, and for a version that none can have. */
export function versionOfETag(etag: string): number | null {
  const version = Number(/^"([1-9]\d{0,9})\.\d{1,10}"$/.exec(etag)?.[1])
  return version <= MAX_VERSION ? version : null
}
