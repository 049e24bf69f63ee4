import { format } from 'node:util'

/** Prisma's command line looks for this target when it searches the engine's log for the reason of a failure. */
const LOG_TARGET = 'schema_engine::logger'

/**
 * Writes a line of the engine's log: the command line parses each line of stderr as JSON in this shape.
 * @param {'INFO' | 'ERROR'} level
 * @param {{ message: string, error_code?: string }} fields
 */
function writeLog(level, fields) {
  const line = { timestamp: new Date().toISOString(), level, fields, target: LOG_TARGET }
  process.stderr.write(`${JSON.stringify(line)}\n`)
}

/**
 * Sends everything that a library prints (deprecation warnings, debug output) to the log. Raw text on stderr would make
 * the command line give up with "Could not parse schema engine response", and on stdout it would break the protocol.
 */
export function captureConsole() {
  for (const method of ['debug', 'error', 'info', 'log', 'trace', 'warn']) {
    console[method] = (...values) => writeLog('INFO', { message: format(...values) })
  }
  process.removeAllListeners('warning')
  process.on('warning', (warning) => writeLog('INFO', { message: `${warning.name}: ${warning.message}` }))
}

/**
 * The line that must come first: the command line skips the first line of stderr without reading it.
 * @param {string} message
 */
export function logStart(message) {
  writeLog('INFO', { message })
}

/**
 * Writes a failure as Prisma's command line prints it: the message, and Prisma's error code where there is one. Never
 * a stack.
 * @param {unknown} error
 */
export function logError(error) {
  const code = typeof error?.prismaCode === 'string' ? { error_code: error.prismaCode } : {}
  writeLog('ERROR', { message: messageOf(error), ...code })
}

/**
 * A message for a person. Node reports a refused connection to a name with several addresses as an error with an empty
 * message and one cause an address.
 * @param {unknown} error
 * @returns {string}
 */
export function messageOf(error) {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(messageOf).join('; ')
  return typeof error?.message === 'string' ? error.message : String(error)
}
