/**
 * An error with one of Prisma's error codes and the text that Prisma's own engine has for it. Codes and texts:
 * https://www.prisma.io/docs/orm/reference/error-reference
 */
export class PrismaError extends Error {
  /**
   * @param {string} prismaCode such as `P1003`
   * @param {string} message
   * @param {Record<string, unknown>} [meta] the values that the message is made of
   */
  constructor(prismaCode, message, meta = {}) {
    super(message)
    this.name = 'PrismaError'
    this.prismaCode = prismaCode
    this.meta = meta
  }
}

/** @param {string} user @param {string} location */
export function authenticationFailed(user, location) {
  const message =
    `Authentication failed against database server at \`${location}\`, the provided database credentials for ` +
    `\`${user}\` are not valid.\n\nPlease make sure to provide valid database credentials for the database server.`
  return new PrismaError('P1000', message, { database_user: user, database_location: location })
}

/** @param {string} location `host:port` or the path of a socket */
export function serverNotReachable(location) {
  const message =
    `Can't reach database server at \`${location}\`\n\n` +
    `Please make sure your database server is running at \`${location}\`.`
  return new PrismaError('P1001', message, { database_location: location })
}

/** @param {string} database a name, or SQLite's file */
export function databaseDoesNotExist(database) {
  return new PrismaError('P1003', `Database \`${database}\` does not exist`, { database_name: database })
}

/** @param {string} database a name, or SQLite's file */
export function databaseExists(database) {
  return new PrismaError('P1009', `Database \`${database}\` already exists`, { database_name: database })
}

/** @param {string} database a name, or SQLite's file */
export function accessDenied(database) {
  const message = `User was denied access on the database \`${database}\``
  return new PrismaError('P1010', message, { database_name: database })
}

/** @param {string} detail what the TLS library said */
export function tlsFailed(detail) {
  return new PrismaError('P1011', `Error opening a TLS connection: ${detail}`, { message: detail })
}

/** @param {string} detail never the URL itself: it may hold a password */
export function invalidUrl(detail) {
  return new PrismaError('P1013', `The provided database string is invalid. ${detail}`, { details: detail })
}

/** @param {Error} cause */
export function shadowDatabaseFailed(cause) {
  const message =
    'Prisma Migrate could not create the shadow database. Please make sure the database user has permission to create ' +
    `databases. Read more about the shadow database (and workarounds) at https://pris.ly/d/migrate-shadow\n\n` +
    `Original error: ${cause.message}`
  return new PrismaError('P3014', message, { inner_error: cause.message })
}
