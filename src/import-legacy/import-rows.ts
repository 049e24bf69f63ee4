import type { PersonaRow } from '../personas/persona.row.js'
import { type ConvertedRow, convertRow } from './convert-row.js'
import { madeId } from './convert-id.js'
import type { Finding, Note } from './findings.js'
import type { LegacyRow } from './legacy-database.js'
import { toReport } from './legacy-value.js'
import { isAway, type Outcome, type PersonaTarget } from './persona-target.js'

/** The target could not go on; the message says how far the import came. Running it again goes on from there. */
export class ImportInterruptedError extends Error {
  override readonly name = 'ImportInterruptedError'
}

/** A persona that is in the target already, with other values: it was left alone. */
export interface Difference {
  readonly id: string
  readonly row: number
  readonly fields: readonly string[]
}

export interface RowCounts {
  readonly read: number
  readonly imported: number
  readonly alreadyThere: number
  readonly different: number
  readonly notImported: number
}

/** What became of every row, in the order of the old file. */
export interface ImportedRows {
  readonly rows: RowCounts
  readonly notes: readonly Note[]
  readonly findings: readonly Finding[]
  readonly differences: readonly Difference[]
}

export interface ImportOptions {
  /** Where the rows go; null is a database without personas. */
  readonly target: PersonaTarget | null
  /** Says what would be done, and does nothing. */
  readonly isDryRun: boolean
  /** The time of a row that has none. */
  readonly now: Date
  /** Told how many rows are done. */
  readonly onProgress: (done: number) => void
}

// A batch is one statement, and holds SQLite's write lock while it runs: the writers of a server wait that long.
const BATCH_ROWS = 200
const BATCH_CHARACTERS = 1_048_576

/**
 * Imports rows in batches, each wholly or not at all. Rows that are there already are not touched, so an import that was
 * interrupted is finished by another.
 * @throws ImportInterruptedError
 */
export async function importRows(rows: Iterable<LegacyRow>, options: ImportOptions): Promise<ImportedRows> {
  const log = new ImportLog()
  const firstRows = new Map<string, number>()
  let batch: { legacy: LegacyRow; converted: ConvertedRow }[] = []
  let characters = 0
  const flush = async () => {
    const outcomes = await settle(
      batch.map(({ converted }) => converted),
      options,
      log.counts,
    )
    for (const [index, outcome] of outcomes.entries()) {
      const { legacy, converted } = batch[index] as (typeof batch)[number]
      log.settled(legacy, converted, outcome)
    }
    options.onProgress(log.counts.read)
    batch = []
    characters = 0
  }
  for (const legacy of rows) {
    const converted = withIdOfItsOwn(convertRow(legacy, options.now), legacy, firstRows)
    firstRows.set(converted.persona.id, legacy.row)
    batch.push({ legacy, converted })
    characters += sizeOf(converted.persona)
    if (batch.length >= BATCH_ROWS || characters >= BATCH_CHARACTERS) await flush()
  }
  await flush()
  return log.result()
}

async function settle(batch: readonly ConvertedRow[], options: ImportOptions, counts: RowCounts): Promise<Outcome[]> {
  const { target, isDryRun } = options
  if (!target) return batch.map(() => ({ kind: 'imported' }))
  try {
    return isDryRun ? await target.compare(batch) : await target.add(batch)
  } catch (error) {
    if (!isAway(error)) throw error
    const before = `${counts.imported} rows had been imported before: run the import again to go on.`
    throw new ImportInterruptedError(`${error.message} ${before}`, { cause: error })
  }
}

class ImportLog {
  readonly counts = { read: 0, imported: 0, alreadyThere: 0, different: 0, notImported: 0 }
  readonly #notes: Note[] = []
  readonly #findings: Finding[] = []
  readonly #differences: Difference[] = []

  settled(legacy: LegacyRow, converted: ConvertedRow, outcome: Outcome): void {
    const { id } = converted.persona
    this.#read(converted)
    switch (outcome.kind) {
      case 'imported':
        this.counts.imported += 1
        break
      case 'already-there':
        this.counts.alreadyThere += 1
        break
      case 'different':
        this.counts.different += 1
        this.#differences.push({ id, row: legacy.row, fields: outcome.fields.map(columnName) })
        break
      case 'refused':
        this.counts.notImported += 1
        this.#findings.push(lost(legacy, id, `the database does not take the row: ${outcome.message}`))
        break
      default:
        outcome satisfies never
    }
  }

  result(): ImportedRows {
    const byRow = (one: { readonly row: number }, other: { readonly row: number }) => one.row - other.row
    return {
      rows: { ...this.counts },
      notes: this.#notes,
      findings: this.#findings.sort(byRow),
      differences: this.#differences,
    }
  }

  #read({ notes, findings }: ConvertedRow): void {
    this.counts.read += 1
    for (const note of notes) this.#notes.push(note)
    for (const finding of findings) this.#findings.push(finding)
  }
}

/** A row whose id is, as a UUID, that of an earlier row, gets another one: no row is dropped. */
function withIdOfItsOwn(
  converted: ConvertedRow,
  { row, values }: LegacyRow,
  firstRows: ReadonlyMap<string, number>,
): ConvertedRow {
  const first = firstRows.get(converted.persona.id)
  if (first === undefined) return converted
  const id = madeId(values.id, row)
  const detail = `is also the id of row ${first}: this one has another now`
  const finding: Finding = {
    id,
    row,
    kind: 'duplicate-id',
    field: 'id',
    detail,
    original: toReport(values.id),
    stored: id,
  }
  return {
    ...converted,
    persona: { ...converted.persona, id },
    findings: [finding, ...converted.findings.map((other) => ({ ...other, id }))],
  }
}

/** What is told of a row that is in the old file alone: all of it. */
function lost(legacy: LegacyRow, id: string, detail: string): Finding {
  const values = Object.entries(legacy.values).map(([name, value]) => [name, toReport(value)])
  return { id, row: legacy.row, kind: 'refused', field: 'id', detail, original: Object.fromEntries(values) }
}

function sizeOf(persona: PersonaRow): number {
  return Object.values(persona).reduce<number>(
    (size, value: unknown) => size + (typeof value === 'string' ? value.length : 0),
    0,
  )
}

function columnName(field: string): string {
  return field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}
