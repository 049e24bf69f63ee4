import type { PersonaRevisionModel } from '../../generated/sqlite/models.js'
import type { Persona } from '../persona.js'
import { readTime, toPersona } from '../persona.row.js'
import type { Revision, RevisionKind } from './revision.js'

/** PostgreSQL's client answers a number of 64 bits as BigInt. */
type SummaryRow = Omit<PersonaRevisionModel, 'seq' | 'state' | 'schema'> & { readonly seq: number | bigint }

/** The columns of a row of `personas` by name, as the trigger of the migration had them. */
type State = Readonly<Record<string, unknown>>

/**
 * How a state is read, by the `schema` that its trigger gave it. A migration that changes the columns of `personas` gives
 * its triggers the next number and adds a reader here, which also says what an older state lacks; the readers of the
 * older ones stay, so that every revision that was ever written can be read.
 */
const READERS: Readonly<Record<number, (state: State) => Persona>> = { 1: readFirst }

/** @throws Error for a state of a schema that this version does not know */
export function readState(schema: number, text: string): Persona {
  const reader = READERS[schema]
  if (!reader) throw new Error(`A revision has the schema ${schema}, which this version cannot read`)
  return reader(JSON.parse(text) as State)
}

export function toRevision(row: SummaryRow): Revision {
  const { seq, personaId, version, kind, changed, at, actor, requestId, worker } = row
  return {
    ...{ personaId, version, at, actor, requestId, worker },
    seq: Number(seq),
    kind: kind as RevisionKind,
    changed: JSON.parse(changed) as string[],
  }
}

function readFirst(state: State): Persona {
  const text = (name: string) => String(state[name])
  const textOrNull = (name: string) => (state[name] === null ? null : text(name))
  return toPersona({
    id: text('id'),
    name: text('name'),
    appearance: text('appearance'),
    personality: text('personality'),
    contentThemes: text('content_themes'),
    stylePreferences: text('style_preferences'),
    defaultContentRating: text('default_content_rating'),
    allowedContentRatings: text('allowed_content_ratings'),
    platformRestrictions: text('platform_restrictions'),
    baseAppearanceDescription: textOrNull('base_appearance_description'),
    baseImagePath: textOrNull('base_image_path'),
    // SQLite has numbers for truth values.
    appearanceLocked: Boolean(state['appearance_locked']),
    baseImageStatus: text('base_image_status'),
    isActive: Boolean(state['is_active']),
    generationCount: Number(state['generation_count']),
    version: Number(state['version']),
    createdAt: readTime(state['created_at']),
    updatedAt: readTime(state['updated_at']),
  })
}
