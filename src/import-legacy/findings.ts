import type { LegacyColumn } from './legacy-database.js'
import { type LegacyValue, toReport } from './legacy-value.js'

/**
 * What can be said of a value:
 * - `rule`: it breaks a rule of the API, and was imported as it is
 * - `inexact`: JSON that was imported as it is, but that the API will answer in a rounded or shortened form
 * - `converted`: it was of another type; the same value was imported
 * - `replaced`: the schema cannot hold it; another value was imported, and the original is in the report alone
 * - `id`: the row cannot be reached under the id it had
 * - `duplicate-id`: another row has, as a UUID, the same id; this one was imported with another
 * - `refused`: the row was not imported
 */
export const FINDING_KINDS = ['duplicate-id', 'refused', 'id', 'replaced', 'converted', 'inexact', 'rule'] as const
export type FindingKind = (typeof FINDING_KINDS)[number]

export interface Finding {
  /** The id in the target. */
  readonly id: string
  /** The row in the old file. */
  readonly row: number
  readonly kind: FindingKind
  readonly field: string
  readonly detail: string
  /** The value in the old file, in full, where something else was stored. */
  readonly original?: unknown
  /** What was stored in its place. */
  readonly stored?: unknown
}

/**
 * What is only counted, by field: `null` took the default, `shortened` is a time of which less than a millisecond was
 * cut off, `respelled` is a word of an enumeration in another spelling.
 */
export const NOTE_KINDS = ['null', 'shortened', 'respelled'] as const
export type NoteKind = (typeof NOTE_KINDS)[number]

export interface Note {
  readonly kind: NoteKind
  readonly field: LegacyColumn
}

type Told = Omit<Finding, 'id' | 'row'>

/** Collects what is found in one row. */
export class Findings {
  readonly told: Told[] = []
  readonly notes: Note[] = []

  about(field: LegacyColumn): FieldFindings {
    return new FieldFindings(this, field)
  }

  of(row: number, id: string): Finding[] {
    return this.told.map((finding) => ({ id, row, ...finding }))
  }
}

/** Collects what is found in one field. */
export class FieldFindings {
  constructor(
    private readonly findings: Findings,
    private readonly field: LegacyColumn,
  ) {}

  /** Answers `stored`, and tells that it stands in the place of `original`. */
  replaced<T>(detail: string, original: LegacyValue, stored: T): T {
    this.findings.told.push({ kind: 'replaced', field: this.field, detail, original: toReport(original), stored })
    return stored
  }

  /** Answers `stored`, and tells that it is what `original` means. */
  converted<T>(detail: string, original: LegacyValue, stored: T): T {
    this.findings.told.push({ kind: 'converted', field: this.field, detail, original: toReport(original), stored })
    return stored
  }

  tell(kind: FindingKind, detail: string): void {
    this.findings.told.push({ kind, field: this.field, detail })
  }

  note(kind: NoteKind): void {
    this.findings.notes.push({ kind, field: this.field })
  }
}
