#!/usr/bin/env node
/**
 * The schema engine that Prisma's command line runs in this project. It stands in for the native engine, which is a
 * download from Prisma's own host, and runs the same engine as WebAssembly from the npm registry. The command line
 * talks to it as it would to the native one; docs/decisions/2026-11-23-schema-engine-bridge.md says why.
 *
 * Exit codes are the native engine's: 0, or 1 after a log line that says what went wrong.
 */
// First: whatever the other modules print must already be turned into log lines.
import { captureConsole, logError } from './log.mjs'
import { readArguments } from './arguments.mjs'

captureConsole()
process.on('uncaughtException', fail)

try {
  const { command, datasource, datamodels } = readArguments(process.argv.slice(2))
  await run(command, datasource, datamodels)
  process.exit(0)
} catch (error) {
  fail(error)
}

/**
 * Loads no more than the command needs: the engine's WebAssembly alone is megabytes.
 * @param {string | undefined} command
 * @param {import('./arguments.mjs').Datasource} datasource
 * @param {import('./arguments.mjs').SchemaFile[]} datamodels
 */
async function run(command, datasource, datamodels) {
  if (command === 'version') {
    const { engineVersion } = await import('./wasm.mjs')
    process.stdout.write(`schema-engine-wasm ${engineVersion()}\n`)
  } else if (command !== undefined) {
    const { runDatabaseCommand } = await import('./cli.mjs')
    await runDatabaseCommand(command, datasource)
  } else {
    const { Engine } = await import('./engine.mjs')
    const { serve } = await import('./rpc.mjs')
    process.off('uncaughtException', fail)
    await serve(new Engine(datasource, datamodels))
  }
}

/** @param {unknown} error */
function fail(error) {
  logError(error)
  process.exit(1)
}
