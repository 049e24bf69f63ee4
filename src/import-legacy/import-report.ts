import { FINDING_KINDS, type Finding, NOTE_KINDS, type Note } from './findings.js'
import type { ImportedRows } from './import-rows.js'
import type { LegacyStructure } from './legacy-database.js'

/** What the database was that the rows went to, before the import. */
export interface TargetState {
  readonly database: string
  readonly state: 'current' | 'behind'
  /** The migrations that were pending. */
  readonly pending: readonly string[]
}

type Counts<Kind extends string> = Readonly<Record<Kind, number>>

/** Everything there is to say of an import; the JSON that `--json` and `--report` give. */
export type ImportReport = Omit<ImportedRows, 'notes'> & {
  readonly isDryRun: boolean
  readonly source: string
  readonly target: TargetState
  /** What was only counted: by kind, then by column. */
  readonly notes: Readonly<Record<Note['kind'], Readonly<Record<string, number>>>>
  readonly findingCounts: Counts<Finding['kind']>
} & Pick<LegacyStructure, 'unknownColumns' | 'missingColumns' | 'unknownTables'>

export interface ReportParts {
  readonly isDryRun: boolean
  readonly source: string
  readonly target: TargetState
  readonly structure: LegacyStructure
  readonly imported: ImportedRows
}

export function reportOf({ isDryRun, source, target, structure, imported }: ReportParts): ImportReport {
  const { unknownColumns, missingColumns, unknownTables } = structure
  const { rows, notes, findings, differences } = imported
  const noteCounts = NOTE_KINDS.map((kind) => [
    kind,
    countBy(
      notes.filter((note) => note.kind === kind),
      'field',
    ),
  ])
  return {
    isDryRun,
    source,
    target,
    rows,
    notes: Object.fromEntries(noteCounts) as ImportReport['notes'],
    findingCounts: { ...zeroes(FINDING_KINDS), ...countBy(findings, 'kind') },
    unknownColumns,
    missingColumns,
    unknownTables,
    differences,
    findings,
  }
}

const SHOWN_LINES = 50
const SHOWN_CHARACTERS = 60
const NOTE_TITLES: Readonly<Record<Note['kind'], string>> = {
  null: 'NULL, became the default',
  shortened: 'times cut to the millisecond',
  respelled: 'words in another spelling',
}

/** The report for people: the summary, then the findings, as many as can be read. */
export function reportText(report: ImportReport): string {
  const { rows, target, isDryRun } = report
  const details = [
    ...report.differences.map(({ id, fields }) => `${shown(id)} differs and was left alone: ${fields.join(', ')}`),
    ...report.findings.map(findingText),
  ]
  const more = details.length - SHOWN_LINES
  const pending = target.state === 'behind' ? ` (pending: ${target.pending.join(', ')})` : ''
  return [
    `${report.source} → ${target.database}${isDryRun ? `: dry run, nothing was written${pending}` : ''}`,
    `${rows.read} rows read: ${rows.imported} ${isDryRun ? 'to import' : 'imported'}, ${rows.alreadyThere} there already, ` +
      `${rows.different} different and left alone, ${rows.notImported} NOT imported`,
    ...NOTE_KINDS.flatMap((kind) => countLine(NOTE_TITLES[kind], report.notes[kind])),
    ...countLine('findings', report.findingCounts),
    ...listLine('columns without a place here', report.unknownColumns, ({ name, values }) => [
      name,
      `${values} values`,
    ]),
    ...listLine('columns that are missing', report.missingColumns, (name) => [name, 'the default']),
    ...listLine('tables without a place here', report.unknownTables, ({ name, rows: count }) => [
      name,
      count === null ? 'not readable' : `${count} rows`,
    ]),
    ...details.slice(0, SHOWN_LINES).map((line) => `  ${line}`),
    ...(more > 0 ? [`  … and ${more} more: --json and --report FILE have them all`] : []),
  ].join('\n')
}

function findingText({ id, row, kind, field, detail, original, stored }: Finding): string {
  const change = original === undefined || kind === 'refused' ? '' : ` (was ${shown(original)}, is ${shown(stored)})`
  return `${shown(id)}, row ${row}: ${kind}: ${shown(field)} ${detail}${change}`
}

function countLine(title: string, counts: Readonly<Record<string, number>>): string[] {
  const entries = Object.entries(counts).filter(([, count]) => count > 0)
  return listLine(title, entries, ([name, count]) => [name, String(count)])
}

function listLine<T>(title: string, items: readonly T[], told: (item: T) => [string, string]): string[] {
  if (items.length === 0) return []
  const list = items.map(told).map(([name, detail]) => `${shown(name)} ${detail}`)
  return [`${title}: ${list.join(', ')}`]
}

// What stands in a database may hold anything, escape sequences of a terminal included.
function shown(value: unknown): string {
  if (typeof value === 'string' && /^[\w/.-]{1,80}$/.test(value)) return value
  const text = (JSON.stringify(value) ?? 'nothing').replace(
    /[\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069]/g,
    '?',
  )
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text
}

function zeroes<Kind extends string>(kinds: readonly Kind[]): Counts<Kind> {
  return Object.fromEntries(kinds.map((kind) => [kind, 0])) as Counts<Kind>
}

function countBy<Key extends string>(
  items: readonly Readonly<Record<Key, string>>[],
  key: Key,
): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const item of items) counts[item[key]] = (counts[item[key]] ?? 0) + 1
  return counts
}
