import { Injectable } from '@nestjs/common'
import { v7 as uuidv7 } from 'uuid'
import {
  MAX_GENERATION_COUNT,
  type NewPersonaFields,
  type Persona,
  PERSONA_DEFAULTS,
  type PersonaChanges,
} from './persona.js'
import { PersonaNotFoundError, PersonaRuleError, StaleVersionError } from './persona.errors.js'
import { applyPatch, type PersonaPatch } from './persona.patch.js'
import { type PageRequest, PersonaRepository, type UpdateGuard } from './persona.repository.js'
import { ratingFaults, type Ratings } from './persona.rules.js'

/** The versions that a conditional write names; undefined when it is not conditional. */
export type ExpectedVersions = readonly number[] | undefined

export interface PersonaPage {
  readonly personas: readonly Persona[]
  /** How many personas the whole list has. */
  readonly total: number
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

  async list(page: PageRequest): Promise<PersonaPage> {
    const [personas, total] = await Promise.all([
      this.repository.findPage(page),
      this.repository.count(page.activeOnly),
    ])
    return { personas, total }
  }

  /** @throws PersonaRuleError */
  create(fields: NewPersonaFields): Promise<Persona> {
    const complete = { ...PERSONA_DEFAULTS, ...fields }
    assertRatings(complete, complete)
    return this.repository.insert({ ...complete, id: uuidv7(), createdAt: new Date() })
  }

  /**
   * Changes the given fields, in one conditional statement; none given changes nothing.
   * @throws PersonaNotFoundError, StaleVersionError, PersonaRuleError
   */
  async update(id: string, changes: PersonaChanges, versions?: ExpectedVersions): Promise<Persona> {
    if (Object.keys(changes).length === 0) return this.unchanged(id, versions)
    if (changes.defaultContentRating && changes.allowedContentRatings) assertRatings(changes, changes)
    const updated = await this.repository.updateIf(id, changes, {
      ...ratingGuard(changes),
      ...(versions && { versions }),
    })
    return updated ?? this.updateOrExplain(id, changes, versions)
  }

  /**
   * Applies a merge patch: in one conditional statement if it only replaces, under the row's lock if it merges.
   * @throws PersonaNotFoundError, StaleVersionError, PersonaRuleError
   */
  patch(id: string, patch: PersonaPatch, versions?: ExpectedVersions): Promise<Persona> {
    const isReplacing = Object.keys(patch.merged).length === 0
    if (isReplacing) return this.update(id, patch.replaced, versions)
    return this.updateWith(id, (current) => applyPatch(patch, current), versions)
  }

  /**
   * Marks a persona as inactive; one that is inactive stays as it is.
   * @throws PersonaNotFoundError, StaleVersionError
   */
  async remove(id: string, versions?: ExpectedVersions): Promise<void> {
    const guard = { isActive: true, ...(versions && { versions }) } as const
    const removed = await this.repository.updateIf(id, { isActive: false }, guard)
    if (!removed) await this.unchanged(id, versions)
  }

  /** @throws PersonaNotFoundError; PersonaRuleError when the count would overflow */
  async countGenerations(id: string, count: number): Promise<Persona> {
    const counted = await this.repository.addGenerations(id, count)
    if (counted) return counted
    await this.get(id)
    throw new PersonaRuleError([
      { pointer: '/count', detail: `would take generation_count beyond ${MAX_GENERATION_COUNT}` },
    ])
  }

  /** What a write answers that has nothing to change, once its condition holds. */
  private async unchanged(id: string, versions: ExpectedVersions): Promise<Persona> {
    const current = await this.get(id)
    if (versions && !versions.includes(current.version)) throw new StaleVersionError(current)
    return current
  }

  // The conditional statement changed nothing. Either a reason shows in the stored state, or the state changed in
  // between: then the update is made under the row's lock, where it cannot change again.
  private async updateOrExplain(id: string, changes: PersonaChanges, versions: ExpectedVersions): Promise<Persona> {
    assertRatings(changes, await this.unchanged(id, versions))
    return this.updateWith(id, () => changes, versions)
  }

  private async updateWith(
    id: string,
    change: (current: Persona) => PersonaChanges,
    versions: ExpectedVersions,
  ): Promise<Persona> {
    const updated = await this.repository.updateWith(id, versions, (current) => {
      const changes = change(current)
      assertRatings(changes, current)
      return changes
    })
    return updated ?? this.refuse(id, versions)
  }

  private async refuse(id: string, versions: ExpectedVersions): Promise<never> {
    const current = await this.get(id)
    if (versions) throw new StaleVersionError(current)
    throw new PersonaNotFoundError(id)
  }
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
