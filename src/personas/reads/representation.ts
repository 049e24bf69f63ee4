import type { Persona } from '../persona.js'
import { etagOf } from '../persona.etag.js'
import { toResource } from '../persona.mapper.js'

/** A persona as it is sent. */
export interface Representation {
  readonly id: string
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
  return { id: persona.id, body: bytesOf(JSON.stringify(toResource(persona))), etag: etagOf(persona) }
}

export function representAll(personas: readonly Persona[]): Buffer {
  return bytesOf(JSON.stringify(personas.map(toResource)))
}

const [OPEN, COMMA, CLOSE] = ['[', ',', ']'].map((character) => character.charCodeAt(0)) as [number, number, number]

/** The array of personas of which each is there as it is sent. */
export function bodyOfAll(personas: readonly Representation[]): Buffer {
  const size = personas.reduce((sum, { body }) => sum + body.length + 1, 1)
  const bytes = Buffer.allocUnsafeSlow(Math.max(size, 2))
  let end = bytes.writeUInt8(OPEN)
  for (const { body } of personas) {
    end += body.copy(bytes, end)
    end = bytes.writeUInt8(COMMA, end)
  }
  bytes.writeUInt8(CLOSE, bytes.length - 1)
  return bytes
}

// In memory of its own: of Node's pool, one small body that is kept would keep those around it.
function bytesOf(text: string): Buffer {
  const bytes = Buffer.allocUnsafeSlow(Buffer.byteLength(text))
  bytes.write(text)
  return bytes
}
