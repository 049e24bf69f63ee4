import type { Persona } from '../persona.js'
import { etagOf } from '../persona.etag.js'
import { toResource } from '../persona.mapper.js'

/** A persona as it is sent. */
export interface Representation {
  readonly body: Buffer
  readonly etag: string
}

/** A page of personas as it is sent. */
export interface PageRepresentation {
  readonly body: Buffer
  /** How many personas the whole list has. */
  readonly total: number
}

export function represent(persona: Persona): Representation {
  return { body: Buffer.from(JSON.stringify(toResource(persona))), etag: etagOf(persona) }
}

export function representAll(personas: readonly Persona[]): Buffer {
  return Buffer.from(JSON.stringify(personas.map(toResource)))
}
