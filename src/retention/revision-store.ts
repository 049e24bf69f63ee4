/** Which revisions of a persona may go. The last one of each persona never does. */
export interface Expiry {
  /** What was made at this time or later stays, whatever the others say. */
  readonly young: Date
  /** So many of the newest are kept; 0: all. */
  readonly keep: number
  /** What was made before this time goes; null: nothing does. */
  readonly before: Date | null
}

/** The history as its retention sees it. Whoever opens one closes it. */
export interface RevisionStore {
  /** The first persona after an id, in the order of the ids, that has revisions; null when there is none. */
  nextPersona(after: string): Promise<string | null>
  /** The `seq` of expired revisions among the oldest ones, ascending; `limit` at most. */
  expired(personaId: string, expiry: Expiry, limit: number): Promise<readonly string[]>
  /** Has the change stream know that nobody can go on from before this `seq`. Must come before it is removed. */
  raiseFloor(seq: string): Promise<void>
  /** Deletes these, in one statement. */
  remove(seqs: readonly string[]): Promise<void>
  close(): Promise<void>
}

/** An OFFSET that no history reaches. */
const ALL = 2_147_483_647
const NEVER = new Date(0)

/** The values of {@link expiredSql}'s parameters, in their order. */
export function expiredValues(personaId: string, { young, keep, before }: Expiry, limit: number) {
  return [personaId, young, before ?? NEVER, keep === 0 ? ALL : keep, limit] as const
}

/**
 * Looks at the oldest revisions alone, so that it costs the same however long a history is. One that stays keeps those that
 * came after it, whatever a clock that was wrong has written into them: a history is without holes.
 * @param parameters what the dialect writes for the values of {@link expiredValues}
 */
export function expiredSql(parameters: string): string {
  const newest = `
    SELECT seq FROM persona_revisions WHERE persona_id = (SELECT id FROM given) ORDER BY seq DESC LIMIT 1`
  const expires = `
    seq <> (${newest}) AND at < (SELECT young FROM given)
    AND (at < (SELECT expiry FROM given) OR seq <= (${newest} OFFSET (SELECT kept FROM given)))`
  return `
    WITH given (id, young, expiry, kept, most) AS (SELECT ${parameters})
    SELECT CAST(seq AS TEXT) FROM (
      SELECT seq, count(*) FILTER (WHERE (${expires}) IS NOT TRUE) OVER (ORDER BY seq) AS staying FROM (
        SELECT seq, at FROM persona_revisions WHERE persona_id = (SELECT id FROM given)
        ORDER BY seq LIMIT (SELECT most FROM given)
      ) AS oldest
    ) AS judged
    WHERE staying = 0 ORDER BY judged.seq`
}

/**
 * Raises the floor of the change stream, and never lowers it.
 * @param epoch what the dialect writes for the value of a new epoch, for when there is none yet
 * @param floor what it writes for that of the floor
 * @param greatest the dialect's function for the greater of two values
 */
export function raiseFloorSql(epoch: string, floor: string, greatest: string): string {
  return `
    INSERT INTO change_feed (id, epoch, floor) VALUES (1, ${epoch}, ${floor})
    ON CONFLICT (id) DO UPDATE SET floor = ${greatest}(change_feed.floor, excluded.floor)`
}
