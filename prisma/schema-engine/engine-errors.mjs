import { messageOf } from './log.mjs'

/** How the engine's messages name an error that is not a database's own. */
const EXTERNAL_ERROR = /External error id#\d+/g

/** The engine's trace of spans, which it appends to a message: Rust modules and source lines. */
const SPAN_TRACE = /\n\s+0: \w+::[\s\S]*$/

/**
 * Finds what really went wrong. An error that is not a database's (a refused connection, a bug) crosses the engine as a
 * number; the adapter's registry has the error itself.
 */
export class EngineErrors {
  #registry
  #nextId = 0

  /** @param {import('@prisma/driver-adapter-utils').ErrorRegistry} registry */
  constructor(registry) {
    this.#registry = registry
  }

  /**
   * @param {any} error the engine's: `message`, and `code` and `meta` where it is one of Prisma's errors
   * @returns {any} the error to report
   */
  explain(error) {
    const external = this.#takeLatest()
    if (external?.prismaCode || (external && !error.code)) return external
    return { code: error.code, meta: error.meta, message: readable(error, external) }
  }

  #takeLatest() {
    let latest
    for (let record = this.#take(); record; record = this.#take()) latest = record.error
    return latest
  }

  #take() {
    const record = this.#registry.consumeError(this.#nextId)
    if (record) this.#nextId += 1
    return record
  }
}

/** The engine's message without its trace, and with the external error's own message. */
function readable(error, external) {
  const message = messageOf(error).replace(SPAN_TRACE, '')
  return external ? message.replace(EXTERNAL_ERROR, () => messageOf(external)) : message
}
