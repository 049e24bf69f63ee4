import type { PageRequest } from '../persona.repository.js'
import type { PageRepresentation, Representation } from './representation.js'

/**
 * The reads that are asked most, as they are sent; also the DI token. Each sees every write that was acknowledged before it
 * began, by any process.
 */
export abstract class PersonaReads {
  abstract find(id: string): Promise<Representation | null>
  abstract findPage(page: PageRequest): Promise<PageRepresentation>
}
