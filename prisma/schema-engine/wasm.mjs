import { readFileSync } from 'node:fs'
import * as bindings from '@prisma/schema-engine-wasm/schema_engine_bg'

const MODULE = '@prisma/schema-engine-wasm/schema_engine_bg'

/**
 * Loads the engine. The package is made for bundlers, which import a .wasm file like a module; Node wants it
 * instantiated by hand.
 * @returns {Promise<typeof import('@prisma/schema-engine-wasm').SchemaEngine>}
 */
export async function loadSchemaEngine() {
  const { instance } = await WebAssembly.instantiate(readFileSync(beside('schema_engine_bg.wasm')), {
    './schema_engine_bg.js': bindings,
  })
  // The engine's panic hook calls this by name; thrown here, the message takes the place of "unreachable executed".
  globalThis.PRISMA_WASM_PANIC_REGISTRY = {
    set_message(message) {
      throw new Error(`The schema engine panicked: ${message}`)
    },
  }
  bindings.__wbg_set_wasm(instance.exports)
  instance.exports.__wbindgen_start()
  return bindings.SchemaEngine
}

/** The package's version: that of the command line's engines, else the two do not belong together. */
export function engineVersion() {
  return JSON.parse(readFileSync(beside('package.json'), 'utf8')).version
}

/** @param {string} file in the engine's package */
function beside(file) {
  return new URL(file, import.meta.resolve(MODULE))
}
