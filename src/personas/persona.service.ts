import { Injectable } from '@nestjs/common'
import { v7 as uuidv7 } from 'uuid'
import {
  MAX_GENERATION_COUNT,
  type NewPersonaFields,
  type Persona,
  PERSONA_DEFAULTS,
  type PersonaChanges,
  type PersonaFields,
} from './persona.js'
import { PersonaNotFoundError, PersonaRuleError, StaleVersionError } from './persona.errors.js'
import { applyPatch, type PersonaPatch } from './persona.patch.js'
import { PersonaRepository, type UpdateGuard } from './persona.repository.js'
import { ratingFaults, type Ratings } from './persona.rules.js'
import { type Edit, mergeStaleEdit, type Since } from './stale-edit.js'
import type { Writer } from './writer.js'

/** The versions that a conditional write names; undefined when it is not conditional. */
export type ExpectedVersions = readonly number[] | undefined

/** A persona after an edit. */
export interface EditedPersona {
  readonly persona: Persona
  /** The version that the edit was made from, when it was not the current one and the edit was merged. */
  readonly mergedBase: number | null
}

/** What can be done with personas. Values have been checked field by field; what depends on stored state is checked here. */
@Injectable()
export class PersonaService {
  constructor(private readonly repository: PersonaRepository) {}

  /** @throws PersonaNotFoundError */
  async get(id: string): Promise<Persona> {
    const persona = await this.repository.findById(id)
    if (!persona) throw new PersonaNotFoundError(id)
    return persona
  }

  /** @throws PersonaRuleError */
  create(fields: NewPersonaFields, writer: Writer): Promise<Persona> {
    const complete = { ...PERSONA_DEFAULTS, ...fields }
    assertRatings(complete, complete)
    return this.repository.insert({ ...complete, id: uuidv7(), createdAt: new Date() }, writer)
  }

  /**
   * Changes the given fields, in one conditional statement; none given changes nothing. What was made from an older
   * version is merged, or refused: see {@link mergeStaleEdit}.
   * @throws PersonaNotFoundError, StaleVersionError, PersonaRuleError
   */
  async update(
    id: string,
    changes: PersonaChanges,
    versions: ExpectedVersions,
    writer: Writer,
  ): Promise<EditedPersona> {
    return this.replace(id, { scope: 'differing', changesOf: () => changes }, changes, versions, writer)
  }

  /**
   * Applies a merge patch: in one conditional statement if it only replaces, under the row's lock if it merges.
   * @throws PersonaNotFoundError, StaleVersionError, PersonaRuleError
   */
  patch(id: string, patch: PersonaPatch, versions: ExpectedVersions, writer: Writer): Promise<EditedPersona> {
    const edit: Edit = { scope: 'given', changesOf: (persona) => applyPatch(patch, persona) }
    const isReplacing = Object.keys(patch.merged).length === 0
    if (isReplacing) return this.replace(id, edit, patch.replaced, versions, writer)
    return this.editLocked(id, edit, versions, writer)
  }

  /**
   * Makes all fields what they were in a revision.
   * @throws PersonaNotFoundError, StaleVersionError, PersonaRuleError
   */
  restore(id: string, fields: PersonaFields, versions: ExpectedVersions, writer: Writer): Promise<EditedPersona> {
    return this.replace(id, { scope: 'whole', changesOf: () => fields }, fields, versions, writer)
  }

  /**
   * Marks a persona as inactive; one that is inactive stays as it is.
   * @throws PersonaNotFoundError, StaleVersionError
   */
  async remove(id: string, versions: ExpectedVersions, writer: Writer): Promise<void> {
    const guard = { isActive: true, ...(versions && { versions }) } as const
    const removed = await this.repository.updateIf(id, { isActive: false }, guard, writer)
    if (removed) return
    const current = await this.get(id)
    assertMergeable(current, versions)
    if (!current.isActive && !isStale(current, versions)) return
    const changesOf = ({ isActive }: Persona) => (isActive ? { isActive: false } : {})
    await this.editLocked(id, { scope: 'whole', changesOf }, versions, writer)
  }

  /** @throws PersonaNotFoundError; PersonaRuleError when the count would overflow */
  async countGenerations(id: string, count: number, writer: Writer): Promise<Persona> {
    const counted = await this.repository.addGenerations(id, count, writer)
    if (counted) return counted
    await this.get(id)
    throw new PersonaRuleError([
      { pointer: '/count', detail: `would take generation_count beyond ${MAX_GENERATION_COUNT}` },
    ])
  }

  // An edit that is the same whatever is stored: one conditional statement. When that changes nothing, a reason shows in
  // the stored state, or the edit is stale, or the state changed in between: then the row's lock is taken, under which it
  // cannot change again.
  private async replace(
    id: string,
    edit: Edit,
    changes: PersonaChanges,
    versions: ExpectedVersions,
    writer: Writer,
  ): Promise<EditedPersona> {
    if (Object.keys(changes).length > 0) {
      if (changes.defaultContentRating && changes.allowedContentRatings) assertRatings(changes, changes)
      const guard = { ...ratingGuard(changes), ...(versions && { versions }) }
      const updated = await this.repository.updateIf(id, changes, guard, writer)
      if (updated) return { persona: updated, mergedBase: null }
    }
    const current = await this.get(id)
    assertMergeable(current, versions)
    if (!isStale(current, versions)) {
      if (Object.keys(changes).length === 0) return { persona: current, mergedBase: null }
      assertRatings(changes, current)
    }
    return this.editLocked(id, edit, versions, writer)
  }

  private async editLocked(id: string, edit: Edit, versions: ExpectedVersions, writer: Writer): Promise<EditedPersona> {
    const baseVersion = baseOf(versions)
    let mergedBase: number | null = null
    const change = (current: Persona, since: Since | null) => {
      const isMerge = isStale(current, versions)
      mergedBase = isMerge ? (baseVersion ?? null) : null
      const changes = isMerge ? mergeStaleEdit(edit, current, since) : edit.changesOf(current)
      assertRatings(changes, current)
      return changes
    }
    const persona = await this.repository.updateWith(id, baseVersion, change, writer)
    if (!persona) throw new PersonaNotFoundError(id)
    return { persona, mergedBase }
  }
}

function isStale(current: Persona, versions: ExpectedVersions): boolean {
  return versions !== undefined && !versions.includes(current.version)
}

/** The one version that an edit was made from; undefined when it may be several: nobody can say which. */
function baseOf(versions: ExpectedVersions): number | undefined {
  return new Set(versions).size === 1 ? versions?.[0] : undefined
}

// Spares a stale edit that has no base the lock.
function assertMergeable(current: Persona, versions: ExpectedVersions): void {
  if (!isStale(current, versions)) return
  const base = baseOf(versions)
  if (base === undefined || base > current.version) throw new StaleVersionError(current, [])
}

/** What must be stored for a change of one rating field to keep the rule, when the other field stays as it is. */
function ratingGuard(changes: PersonaChanges): UpdateGuard {
  const { defaultContentRating, allowedContentRatings } = changes
  if (defaultContentRating && allowedContentRatings) return {}
  return {
    ...(defaultContentRating && { allowedRatingsInclude: defaultContentRating }),
    ...(allowedContentRatings && { defaultRatingIn: allowedContentRatings }),
  }
}

// The rule holds over the merged result, and is looked at only by a request that touches one of the two fields.
function assertRatings(changes: PersonaChanges, current: Partial<Ratings>): void {
  if (!changes.defaultContentRating && !changes.allowedContentRatings) return
  const faults = ratingFaults({ ...current, ...changes })
  if (faults.length > 0) throw new PersonaRuleError(faults)
}
