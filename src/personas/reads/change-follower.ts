import type { LocalReads } from '../../database/database.js'

/** The ids of the personas that have changed since a follower was asked last, or that this is not known. */
export type Changes = 'unknown' | readonly string[]

const NONE: readonly string[] = []
/** More of them are not worth being looked at one by one. */
const MOST_CHANGES = 1_000
const TRIGGERS = ['insert', 'update', 'rename', 'delete'].map((name) => `'personas_revision_${name}'`)
const COUNT_TRIGGERS = `
  SELECT count(*) FROM sqlite_master
  WHERE type = 'trigger' AND tbl_name = 'personas' AND name IN (${TRIGGERS.join(', ')})`
const COLUMNS = `
  seq, persona_id, at, (SELECT seq FROM sqlite_sequence WHERE name = 'persona_revisions')`
const LAST = `SELECT ${COLUMNS} FROM persona_revisions ORDER BY seq DESC LIMIT 1`
// The last one that is known, too: if it is not there as it was, this is not the history that was followed.
const SINCE = `
  SELECT ${COLUMNS} FROM persona_revisions WHERE seq >= ? ORDER BY seq LIMIT ${MOST_CHANGES + 2}`

/** A row of these statements; `given` is the last number that any revision was given, be it there still or not. */
type Revision = readonly [seq: number, personaId: string, at: string, given: number]

const NOTHING: Revision = [0, '', '', 0]

/**
 * Follows what any process does with the personas of a file. Asked before a read, on the connection that reads, it knows
 * of every commit that was acknowledged by then: SQLite counts them (data_version), and the triggers of the history say
 * whose personas they were about, in the same transaction. Without its triggers, or where a number is missing (SQLite
 * gives them without gaps, so somebody has removed the revision), anything may have changed.
 */
export class ChangeFollower {
  #dataVersion: number | undefined
  #schemaVersion: number | undefined
  #isLogged = false
  #last = NOTHING

  /** What has changed since the last call; the first one does not know. */
  follow(file: LocalReads): Changes {
    const dataVersion = file.dataVersion()
    if (dataVersion === this.#dataVersion) return NONE
    // What is committed from here on is another version: it is found by the next call, or by this and the next.
    const changes = this.#read(file)
    this.#dataVersion = dataVersion
    return changes
  }

  /** Whether nothing at all has been committed since it was asked last. */
  isCurrent(file: LocalReads): boolean {
    return file.dataVersion() === this.#dataVersion
  }

  #read(file: LocalReads): Changes {
    const schemaVersion = file.schemaVersion()
    if (schemaVersion !== this.#schemaVersion) {
      this.#isLogged = file.plainRows(COUNT_TRIGGERS, [])[0]?.[0] === TRIGGERS.length
      if (this.#isLogged) this.#startAtEnd(file)
      this.#schemaVersion = schemaVersion
      return 'unknown'
    }
    if (!this.#isLogged) return 'unknown'
    const [known, ...rows] = file.plainRows(SINCE, [this.#last[0]]) as Revision[]
    const given = known?.[3] ?? 0
    if (!isSame(known, this.#last) || rows.length > MOST_CHANGES || rows.length !== given - this.#last[3]) {
      this.#startAtEnd(file)
      return 'unknown'
    }
    this.#last = rows.at(-1) ?? this.#last
    return rows.map(([, id]) => id)
  }

  #startAtEnd(file: LocalReads): void {
    const [last = NOTHING] = file.plainRows(LAST, []) as Revision[]
    this.#last = last
  }
}

function isSame(one: Revision | undefined, other: Revision): boolean {
  return one !== undefined && [0, 1, 2].every((column) => one[column] === other[column])
}
