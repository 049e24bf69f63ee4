import { createInterface } from 'node:readline'
import { logError, messageOf } from './log.mjs'

/** JSON-RPC's code for an unknown method, and the native engine's for everything else. */
const METHOD_NOT_FOUND = -32601
const ENGINE_ERROR = 4466

/** Error codes of Prisma's, as against those of Node and of the drivers. */
const PRISMA_CODE = /^P\d{4}$/

/**
 * Serves the engine to Prisma's command line: JSON-RPC 2.0, a message a line, requests one after the other. Ends when
 * stdin closes or at SIGINT or SIGTERM: the command line sends the latter without waiting for the former to work.
 * @param {import('./engine.mjs').Engine} engine
 */
export async function serve(engine) {
  const lines = createInterface({ input: process.stdin })
  const stop = () => end(engine)
  const crash = nextCrash()
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
  for await (const line of lines) {
    if (line.trim() === '') continue
    const message = JSON.parse(line)
    // A message without a method is the answer to a `print` request.
    if (message.method !== undefined) send(await answer(engine, message, crash))
  }
  await engine.dispose()
}

/** @param {import('./engine.mjs').Engine} engine */
async function end(engine) {
  try {
    await engine.dispose()
    process.exit(0)
  } catch (error) {
    logError(error)
    process.exit(1)
  }
}

/**
 * Rejects when the engine panics: that ends in an exception nobody can catch, and leaves the engine's promise pending
 * for ever. The panic is the answer to this request and to each later one. The process stays until it is told to end,
 * since the command line may exit silently, with code 0, when its engine goes first.
 * @returns {Promise<never>}
 */
function nextCrash() {
  const crash = new Promise((_resolve, reject) => process.on('uncaughtException', reject))
  crash.catch(logError)
  return crash
}

/**
 * @param {import('./engine.mjs').Engine} engine
 * @param {{ id: number, method: string, params?: any }} request
 * @param {Promise<never>} crash
 */
async function answer(engine, { id, method, params }, crash) {
  if (!engine.has(method)) return { id, error: { code: METHOD_NOT_FOUND, message: `Method not found: ${method}` } }
  try {
    const result = await Promise.race([engine.call(method, params), crash])
    // The native engine prints a diff by asking the command line to; what stands in the result is not shown.
    if (method === 'diff' && typeof result.stdout === 'string') {
      send({ id: 'diff', method: 'print', params: { content: result.stdout } })
    }
    // `migrate status` asks the engine which applied migrations were edited, and keeps the answer to itself.
    if (method === 'diagnoseMigrationHistory' && result.editedMigrationNames?.length > 0) {
      send({ id: 'edited', method: 'print', params: { content: describeEdited(result.editedMigrationNames) } })
    }
    return { id, result }
  } catch (error) {
    return { id, error: describe(error) }
  }
}

function describeEdited(names) {
  const list = names.map((name) => `\n  ${name}`).join('')
  return `\nEdited after they had been applied to this database:${list}\nBring them back to what they were.\n`
}

/**
 * An error as the command line prints it. `is_panic` stays false, even for a panic of the engine: it would offer to send
 * a report to Prisma's host.
 * @param {any} error
 */
function describe(error) {
  const code = error.prismaCode ?? error.code
  const error_code = PRISMA_CODE.test(code) ? code : undefined
  const data = { is_panic: false, message: messageOf(error), error_code, meta: error.meta }
  return { code: ENGINE_ERROR, message: 'An error happened. Check the data field for details.', data }
}

/** @param {object} message */
function send(message) {
  process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)
}
