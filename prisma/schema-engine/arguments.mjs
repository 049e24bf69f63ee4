import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'

/** @typedef {{ url?: string, shadowDatabaseUrl?: string }} Datasource What prisma.config.ts names as its datasource. */
/** @typedef {[path: string, content: string]} SchemaFile */
/** @typedef {{ command?: string, datasource: Datasource, datamodels: SchemaFile[] }} Arguments */

/** The native engine's options. Those without meaning for this project's databases are read and not used. */
const OPTIONS = {
  datamodels: { type: 'string', short: 'd', multiple: true },
  datasource: { type: 'string' },
  'enabled-preview-features': { type: 'string' },
  'extension-types': { type: 'string' },
  version: { type: 'boolean', short: 'V' },
}

/**
 * Reads the command line of a schema engine: `[options]` for the JSON-RPC server, `[options] cli COMMAND` for one
 * command, `--version` for the version. Throws on an unknown option, an unreadable schema or a malformed datasource.
 * @param {string[]} argv
 * @returns {Arguments}
 */
export function readArguments(argv) {
  const { values, positionals } = parseArgs({ args: argv, options: OPTIONS, allowPositionals: true })
  const [mode, command] = positionals
  if (mode !== undefined && (mode !== 'cli' || command === undefined)) {
    throw new Error(`Unknown schema engine command: ${positionals.join(' ')}`)
  }
  return {
    command: values.version ? 'version' : command,
    datasource: values.datasource === undefined ? {} : parseDatasource(values.datasource),
    datamodels: (values.datamodels ?? []).map((path) => [path, readFileSync(path, 'utf8')]),
  }
}

/**
 * @param {string} json
 * @returns {Datasource}
 */
function parseDatasource(json) {
  try {
    return JSON.parse(json)
  } catch {
    // Without the text: a datasource holds a password.
    throw new Error('The --datasource argument is not valid JSON.')
  }
}
