import { type Column, type Kind, type Table, type TableFacts } from './model.js'
import { TransferError } from './transfer-errors.js'

/** What can be a key: its text form is the same on both sides, and in the log. */
const KEY_KINDS: ReadonlySet<Kind> = new Set(['text', 'integer'])

/**
 * Makes tables of what a catalog says.
 * @param kindOf what a declared type of this database is; undefined for one that cannot be transferred
 * @throws TransferError naming every table and column that cannot be transferred
 */
export function toTables(facts: readonly TableFacts[], kindOf: (type: string) => Kind | undefined): Table[] {
  const faults: string[] = []
  const tables = facts.map((fact) => toTable(fact, kindOf, faults))
  if (faults.length > 0) throw new TransferError(`This database cannot be transferred:\n${list(faults)}`)
  return tables.sort((a, b) => (a.name < b.name ? -1 : 1))
}

function toTable(fact: TableFacts, kindOf: (type: string) => Kind | undefined, faults: string[]): Table {
  const columns = fact.columns.map(({ name, type }): Column => {
    const kind = kindOf(type)
    if (kind === undefined) faults.push(`${fact.name}.${name} has the type ${type}, which only one side knows`)
    return { name, kind: kind ?? 'text' }
  })
  const indexOf = (name: string) => columns.findIndex((column) => column.name === name)
  const key = fact.key.map(indexOf)
  if (key.length === 0) faults.push(`${fact.name} has no primary key`)
  for (const index of key) {
    const column = columns[index]
    if (!column || !KEY_KINDS.has(column.kind)) faults.push(`${fact.name} has a key that is neither text nor integer`)
  }
  // A unique index over an expression names no column: what conflicts with it is found when it is written.
  const uniques = fact.uniques.map((names) => names.map(indexOf)).filter((indexes) => !indexes.includes(-1))
  return { name: fact.name, columns, key, uniques }
}

/**
 * Makes sure that both sides have the same tables, columns and keys.
 * @returns the tables with the source's columns and the target's unique constraints: what a batch needs to know
 * @throws TransferError naming every difference
 */
export function commonTables(source: readonly Table[], target: readonly Table[]): Table[] {
  const shape = (tables: readonly Table[]) => new Set(tables.flatMap(describe))
  const [ours, theirs] = [shape(source), shape(target)]
  const differences = [
    ...[...ours].filter((line) => !theirs.has(line)).map((line) => `only the source has ${line}`),
    ...[...theirs].filter((line) => !ours.has(line)).map((line) => `only the target has ${line}`),
  ]
  if (differences.length > 0) throw new TransferError(`The two schemas differ:\n${list(differences)}`)
  return source.map((table) => ({ ...table, uniques: uniquesOf(table, target) }))
}

function uniquesOf({ name, columns }: Table, target: readonly Table[]): number[][] {
  const twin = target.find((table) => table.name === name)
  const indexOf = (index: number) => columns.findIndex((column) => column.name === twin?.columns[index]?.name)
  return (twin?.uniques ?? []).map((unique) => unique.map(indexOf))
}

function describe({ name, columns, key }: Table): string[] {
  const keyNames = key.map((index) => columns[index]?.name).join(', ')
  return [`${name} with the key ${keyNames}`, ...columns.map((column) => `${name}.${column.name}, ${column.kind}`)]
}

function list(lines: readonly string[]): string {
  return lines.map((line) => `  - ${line}`).join('\n')
}
