import type { ResourceBodyOptions } from '../http/read-resource.js'
import { PERSONA_DEFAULTS } from './persona.js'
import { ratingFaultsOf, READ_ONLY_FIELDS } from './persona.mapper.js'

/** How the body of a new persona is read. */
export const NEW_PERSONA_BODY: ResourceBodyOptions = {
  readOnlyFields: READ_ONLY_FIELDS,
  combined: ratingFaultsOf(PERSONA_DEFAULTS),
}

/** How the body of an update is read. */
export const PERSONA_BODY: ResourceBodyOptions = { readOnlyFields: READ_ONLY_FIELDS, combined: ratingFaultsOf({}) }
