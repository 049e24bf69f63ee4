import { accessDenied, authenticationFailed, databaseDoesNotExist, serverNotReachable, tlsFailed } from './errors.mjs'
import { locationOf } from './postgresql-url.mjs'

/** SQLSTATE codes, https://www.postgresql.org/docs/current/errcodes-appendix.html */
const BY_SQLSTATE = {
  '3D000': ({ database }) => databaseDoesNotExist(database),
  28000: ({ database }) => accessDenied(database),
  '28P01': (config) => authenticationFailed(config.user, locationOf(config)),
  42501: ({ database }) => accessDenied(database),
}

/** What Node calls a server that is not there. */
const NETWORK_CODES = new Set([
  'EAI_AGAIN',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT',
  'ENOTFOUND',
  'ETIMEDOUT',
])

/** node-postgres has no code for these. */
const NO_ANSWER_MESSAGE = /timeout|connection terminated/i
const TLS_MESSAGE = /\b(SSL|TLS|certificate)\b/i

/**
 * The error of a failed connection, with Prisma's code where it has one.
 * @param {any} error node-postgres's or Node's
 * @param {import('pg').ClientConfig} config what was to be connected to
 * @returns {Error}
 */
export function explain(error, config) {
  const explained = explainCode(error, config) ?? explainMessage(error, config)
  if (!explained) return error
  explained.cause = error
  return explained
}

/** @returns {import('./errors.mjs').PrismaError | undefined} */
function explainCode({ code }, config) {
  if (Object.hasOwn(BY_SQLSTATE, code ?? '')) return BY_SQLSTATE[code](config)
  return NETWORK_CODES.has(code) ? serverNotReachable(locationOf(config)) : undefined
}

/** @returns {import('./errors.mjs').PrismaError | undefined} */
function explainMessage({ code, message }, config) {
  if (code === undefined && NO_ANSWER_MESSAGE.test(message)) return serverNotReachable(locationOf(config))
  return TLS_MESSAGE.test(message) ? tlsFailed(message) : undefined
}
