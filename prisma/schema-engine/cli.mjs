import { openDatabase } from './databases.mjs'
import { logStart } from './log.mjs'

/** The native engine's commands, which Prisma's command line runs before it starts the server. */
const COMMANDS = {
  'can-connect-to-database': (database) => database.canConnect(),
  'create-database': (database) => database.create(),
  'drop-database': (database) => database.drop(),
}

/**
 * Runs one command. Throws what went wrong, with Prisma's code where there is one; a database that
 * `can-connect-to-database` does not find is `P1003`, and the command line then creates it.
 * @param {string} command
 * @param {import('./arguments.mjs').Datasource} datasource
 */
export async function runDatabaseCommand(command, datasource) {
  logStart(`Starting schema engine CLI: ${command}`)
  if (!Object.hasOwn(COMMANDS, command)) throw new Error(`Unknown schema engine command: ${command}`)
  const database = await openDatabase(datasource)
  try {
    await COMMANDS[command](database)
  } finally {
    await database.dispose()
  }
}
