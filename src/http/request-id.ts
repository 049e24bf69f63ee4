import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

// Long enough for every tracing system's ids, and harmless in a log line and in a header.
const SANE_REQUEST_ID = /^[\w.:=+/@-]{1,128}$/

/** The client's own request id if it sent a sane one, else a new one. */
export function requestIdOf(request: Pick<IncomingMessage, 'headers'>): string {
  const given = request.headers['x-request-id']
  return typeof given === 'string' && SANE_REQUEST_ID.test(given) ? given : randomUUID()
}
