/** Which revisions of a persona may go. The last one of each persona never does. */
export interface Expiry {
  /** So many of the newest are kept; 0: all. */
  readonly keep: number
  /** What was made before this time goes; null: nothing does. */
  readonly before: Date | null
}

/** The history as its retention sees it. Whoever opens one closes it. */
export interface RevisionStore {
  /** The first persona after an id, in the order of the ids, that has revisions; null when there is none. */
  nextPersona(after: string): Promise<string | null>
  /** The `seq` of expired revisions among the oldest ones; `limit` at most. */
  expired(personaId: string, expiry: Expiry, limit: number): Promise<readonly string[]>
  /** Deletes these, in one statement. */
  remove(seqs: readonly string[]): Promise<void>
  close(): Promise<void>
}

/** An OFFSET that no history reaches. */
const ALL = 2_147_483_647
const NEVER = new Date(0)

/** The values of {@link expiredSql}'s parameters, in their order. */
export function expiredValues(personaId: string, { keep, before }: Expiry, limit: number) {
  return [personaId, before ?? NEVER, keep === 0 ? ALL : keep, limit] as const
}

/**
 * Looks at the oldest revisions alone, so that it costs the same however long a history is.
 * @param parameters what the dialect writes for the values of {@link expiredValues}
 */
export function expiredSql(parameters: string): string {
  const newest = `
    SELECT seq FROM persona_revisions WHERE persona_id = (SELECT id FROM given) ORDER BY seq DESC LIMIT 1`
  return `
    WITH given (id, expiry, kept, most) AS (SELECT ${parameters})
    SELECT CAST(seq AS TEXT) FROM (
      SELECT seq, at FROM persona_revisions WHERE persona_id = (SELECT id FROM given)
      ORDER BY seq LIMIT (SELECT most FROM given)
    ) AS oldest
    WHERE seq <> (${newest})
      AND (at < (SELECT expiry FROM given) OR seq <= (${newest} OFFSET (SELECT kept FROM given)))`
}
