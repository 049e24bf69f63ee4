/**
 * What Prisma tells of a failure: its own code, and the driver's code (`SQLITE_FULL`, `53100`) and message where a
 * driver was involved. The shapes are those of Prisma 7.10: `code` on the error, the driver's error in `meta.driverAdapterError`.
 */
export interface PrismaFailure {
  readonly prismaCode: string | undefined
  readonly driverCode: string | undefined
  readonly driverMessage: string | undefined
}

/** Reads the codes out of an error, whoever threw it; both are undefined for an error that is not about the database. */
export function readPrismaFailure(error: unknown): PrismaFailure {
  const meta = property(error, 'meta')
  const cause = property(property(meta, 'driverAdapterError') ?? error, 'cause')
  const code = text(property(error, 'code')) ?? text(property(error, 'errorCode'))
  const isPrismaCode = code !== undefined && /^P\d{4}$/.test(code)
  return {
    prismaCode: isPrismaCode ? code : undefined,
    driverCode: text(property(cause, 'originalCode')) ?? (isPrismaCode ? undefined : code),
    driverMessage: text(property(cause, 'originalMessage')),
  }
}

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
