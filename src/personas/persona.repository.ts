import type { Since } from './stale-edit.js'
import type { ContentRating, Persona, PersonaChanges, PersonaFields } from './persona.js'
import type { Writer } from './writer.js'

/** A persona that is to be stored, complete but for what the store itself begins with: version 1, no generations. */
export type PersonaToInsert = PersonaFields & { readonly id: string; readonly createdAt: Date }

/** What must hold of the stored persona at the moment of an update. Every part that is given must hold. */
export interface UpdateGuard {
  /** The version is one of these. */
  readonly versions?: readonly number[]
  /** The stored default rating is one of these. */
  readonly defaultRatingIn?: readonly ContentRating[]
  /** The stored allowed ratings include this one. */
  readonly allowedRatingsInclude?: ContentRating
  /** The persona is active. */
  readonly isActive?: true
}

export interface PageRequest {
  readonly skip: number
  readonly limit: number
  readonly activeOnly: boolean
}

/**
 * Where personas are kept; also the DI token. Each write is atomic: it compares what it depends on and changes the row
 * in one statement, or holds the row's lock from its first statement on. With each goes a revision, which the database
 * writes itself and which names the writer. Failures of the database arrive as the errors of database-errors.ts.
 */
export abstract class PersonaRepository {
  abstract insert(persona: PersonaToInsert, writer: Writer): Promise<Persona>

  abstract findById(id: string): Promise<Persona | null>

  /** A page, newest first (created_at, then id). */
  abstract findPage(page: PageRequest): Promise<Persona[]>

  /** How many personas there are, at the same cost however many. */
  abstract count(activeOnly: boolean): Promise<number>

  /**
   * Changes the fields and adds one to the version, if the guard holds; answers the persona after it. Null when there
   * is no such persona or the guard did not hold: nothing was changed then.
   */
  abstract updateIf(id: string, changes: PersonaChanges, guard: UpdateGuard, writer: Writer): Promise<Persona | null>

  /**
   * Like {@link updateIf}, with changes that depend on what is stored: `change` sees the current persona while nobody
   * else can change it, and what the history has since `baseVersion`: null without one, and when it is not known any
   * more. Without a change nothing is written. When `change` throws, nothing is changed and the error is passed on.
   */
  abstract updateWith(
    id: string,
    baseVersion: number | undefined,
    change: (current: Persona, since: Since | null) => PersonaChanges,
    writer: Writer,
  ): Promise<Persona | null>

  /** Adds to the generation count; version and updated_at stay. Null when unknown, or when the count would overflow. */
  abstract addGenerations(id: string, count: number, writer: Writer): Promise<Persona | null>
}
