import { type ArgType, type ColumnType, ColumnTypeEnum, type SqlResultSet } from '@prisma/driver-adapter-utils'
import type { SqliteDriverStatement } from './driver.js'

/**
 * What Prisma makes of a column's declared type. These are the type names that Prisma's SQLite migrations write, and
 * SQLite's common synonyms (https://www.sqlite.org/datatype3.html, section 3.1.1).
 */
const DECLARED_TYPES: Readonly<Record<string, ColumnType>> = {
  DECIMAL: ColumnTypeEnum.Numeric,
  FLOAT: ColumnTypeEnum.Float,
  DOUBLE: ColumnTypeEnum.Double,
  'DOUBLE PRECISION': ColumnTypeEnum.Double,
  NUMERIC: ColumnTypeEnum.Double,
  REAL: ColumnTypeEnum.Double,
  TINYINT: ColumnTypeEnum.Int32,
  SMALLINT: ColumnTypeEnum.Int32,
  MEDIUMINT: ColumnTypeEnum.Int32,
  INT: ColumnTypeEnum.Int32,
  INTEGER: ColumnTypeEnum.Int32,
  BIGINT: ColumnTypeEnum.Int64,
  INT8: ColumnTypeEnum.Int64,
  DATETIME: ColumnTypeEnum.DateTime,
  TIMESTAMP: ColumnTypeEnum.DateTime,
  DATE: ColumnTypeEnum.Date,
  TIME: ColumnTypeEnum.Time,
  TEXT: ColumnTypeEnum.Text,
  CLOB: ColumnTypeEnum.Text,
  VARCHAR: ColumnTypeEnum.Text,
  BLOB: ColumnTypeEnum.Bytes,
  BOOLEAN: ColumnTypeEnum.Boolean,
  JSONB: ColumnTypeEnum.Json,
}

/** The shape of a statement's rows, found once when it is prepared. A null type is inferred from the values. */
export interface RowShape {
  readonly columnNames: string[]
  readonly columnTypes: readonly (ColumnType | null)[]
  /** Whether the driver must answer integers as BigInt, because a column may hold more than a double can. */
  readonly needsBigInt: boolean
}

export function rowShapeOf(statement: SqliteDriverStatement): RowShape {
  const columns = statement.columns()
  const columnTypes = columns.map((column) => DECLARED_TYPES[column.type?.toUpperCase() ?? ''] ?? null)
  return {
    columnNames: columns.map((column) => column.name),
    columnTypes,
    needsBigInt: columnTypes.some((type) => type === null || type === ColumnTypeEnum.Int64),
  }
}

/** Turns the driver's rows (arrays of values) into Prisma's result set. */
export function toResultSet(shape: RowShape, rows: unknown[][]): SqlResultSet {
  const columnTypes = shape.columnTypes.map((type, column) => type ?? inferType(rows, column))
  return {
    columnNames: shape.columnNames,
    columnTypes,
    rows: rows.map((row) => row.map((value, column) => toPrismaValue(value, columnTypes[column]))),
  }
}

function inferType(rows: unknown[][], column: number): ColumnType {
  const value = rows.find((row) => row[column] !== null)?.[column]
  switch (typeof value) {
    case 'string':
      return ColumnTypeEnum.Text
    case 'bigint':
      return ColumnTypeEnum.Int64
    case 'number':
      return ColumnTypeEnum.UnknownNumber
    case 'object':
      return ColumnTypeEnum.Bytes
    default:
      return ColumnTypeEnum.Int32
  }
}

function toPrismaValue(value: unknown, type: ColumnType | undefined): unknown {
  if (typeof value === 'bigint') return bigintToPrisma(value, type)
  if (typeof value !== 'number') return value
  if (type === ColumnTypeEnum.DateTime) return new Date(value).toISOString()
  // SQLite stores what it is given: a fraction in an INTEGER column would break Prisma's decoder.
  return type === ColumnTypeEnum.Int32 ? Math.trunc(value) : value
}

function bigintToPrisma(value: bigint, type: ColumnType | undefined): unknown {
  if (type === ColumnTypeEnum.DateTime) return new Date(Number(value)).toISOString()
  const asNumber = Number(value)
  return Number.isSafeInteger(asNumber) ? asNumber : value.toString()
}

/** Turns one of Prisma's arguments into a value that the driver can bind. Dates become ISO 8601 in UTC, as text. */
export function toSqliteValue(value: unknown, type: ArgType | undefined): unknown {
  if (typeof value === 'boolean') return value ? 1 : 0
  if (value instanceof Date) return toSqliteTime(value)
  if (typeof value !== 'string') return value
  switch (type?.scalarType) {
    case 'int':
    case 'float':
    case 'decimal':
      return Number(value)
    case 'bigint':
      return BigInt(value)
    case 'datetime':
      return toSqliteTime(new Date(value))
    case 'bytes':
      return Buffer.from(value, 'base64')
    default:
      return value
  }
}

/** The text form of Prisma's own SQLite adapters, so that either reads and compares what the other wrote. */
function toSqliteTime(time: Date): string {
  return time.toISOString().replace('Z', '+00:00')
}
