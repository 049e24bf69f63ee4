import { Command } from 'commander'
import { loadSettings } from '../../config/environment.js'
import { settingDefinitions } from '../../config/setting-definitions.js'
import { type DatabaseSettings } from '../../config/settings.js'
import { schemaState } from '../../database/migrations/migrations.js'
import { migrationStoreOf } from '../../database/root-database.js'
import { isPooled } from '../../database/postgresql/connection-config.js'
import { abort, unseal } from '../../transfer/abort.js'
import { dryRun } from '../../transfer/dry-run.js'
import { assertCurrent, objectionOf, openMigratedTarget, openSource, openTarget } from '../../transfer/open.js'
import type { Source, Target } from '../../transfer/ports.js'
import { labelOf as labelOfServer } from '../../transfer/postgresql/connect.js'
import { Transfer, type TransferResult } from '../../transfer/transfer.js'
import { TransferError } from '../../transfer/transfer-errors.js'
import { UsageError } from '../failure.js'
import { createOutput, type Output } from '../output.js'

interface Options {
  readonly from: string
  readonly to?: string
  readonly dryRun?: boolean
  readonly abort?: boolean
  readonly unseal?: boolean
  readonly json?: boolean
}

const HELP = `
The source stays in service: rows are copied in batches, then what was written meanwhile, then a hash of every row is
compared on both sides. For the last rest writers wait a moment; from then on the source refuses writes with 503, and the
servers are to be restarted with the target's DATABASE_URL. Interrupted, even by kill -9, it goes on where it was when it
is called again. See docs/transfer.md.

Examples:
  gator transfer --from file:./data/gator.db --to postgresql://gator@localhost:5432/gator --dry-run
  gator transfer --from file:./data/gator.db --to postgresql://gator@localhost:5432/gator
  gator transfer --from postgresql://gator@localhost:5432/gator --to file:./data/back.db`

/** `gator transfer`: moves everything to another database, of the same kind or of the other, while it is in service. */
export function transferCommand(): Command {
  return new Command('transfer')
    .description('move everything to another database while the servers run: SQLite to PostgreSQL, or back')
    .requiredOption('--from <url>', 'the database in service, as DATABASE_URL would name it')
    .option('--to <url>', 'the database to fill: one without rows, or one that is not there yet')
    .option('-n, --dry-run', 'look at both sides and at every row, write nothing')
    .option('--abort', 'end an unfinished transfer: take its triggers off the source, empty the target')
    .option('--unseal', 'let a source that was moved take writes again; what was written to the target stays there')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', HELP)
    .action(transfer)
}

async function transfer(options: Options): Promise<void> {
  const output = createOutput(options.json ?? false)
  const modes = [options.dryRun, options.abort, options.unseal].filter(Boolean)
  if (modes.length > 1) throw new UsageError('--dry-run, --abort and --unseal exclude each other.')
  const from = settingsOf('--from', options.from)
  try {
    if (options.unseal) return await runUnseal(from, output)
    if (options.to === undefined) throw new UsageError('--to is missing: which database is to be filled?')
    const to = settingsOf('--to', options.to)
    if (options.dryRun) await runDry(from, to, output)
    else if (options.abort) await runAbort(from, to, output)
    else await run(from, to, output)
  } catch (error) {
    throw explained(error)
  }
}

/** The settings of the environment, with the database that an option names. */
function settingsOf(option: string, url: string): DatabaseSettings {
  const found = settingDefinitions.DATABASE_URL.schema.safeParse(url)
  // The value is not told: it may hold a password.
  if (!found.success) throw new UsageError(`${option} ${found.error.issues[0]?.message ?? 'is not valid'}`)
  const target = found.data
  if (target.provider === 'postgresql' && isPooled(target.url)) {
    throw new UsageError(`${option} must be the server itself, not a pooler: a transfer needs sessions of its own`)
  }
  // The way around the service's own pooler leads to the service's own database.
  return { ...loadSettings().database, target, directUrl: null }
}

async function run(from: DatabaseSettings, to: DatabaseSettings, output: Output): Promise<void> {
  await assertCurrent(from)
  const source = await openSource(from)
  try {
    await withTarget(source, await openMigratedTarget(to), async (target) => {
      const result = await new Transfer(source, target, output).run()
      output.result({ ...result, from: source.label, to: target.label }, summary(result, target))
    })
  } finally {
    await source.close()
  }
}

async function runDry(from: DatabaseSettings, to: DatabaseSettings, output: Output): Promise<void> {
  await assertCurrent(from)
  const { state } = await schemaState(migrationStoreOf(to), to)
  const source = await openSource(from)
  try {
    await withTarget(source, await openTarget(to, true), async (target) => {
      const report = await dryRun(source, target, state === 'current', objectionOf(to), output)
      const rows = report.tables.map(({ name, rows: count }) => `${name}: ${count} rows`).join('\n')
      output.result({ state: 'dry-run', ...report }, `${rows}\nThe target: ${report.target}. Nothing was written.`)
    })
  } finally {
    await source.close()
  }
}

async function runAbort(from: DatabaseSettings, to: DatabaseSettings, output: Output): Promise<void> {
  const source = await openSource(from)
  try {
    await withTarget(source, await openTarget(to), async (target) => {
      const outcome = await abort(source, target, labelOf(to))
      const kept = 'The target keeps rows that nobody can vouch for any more: drop it before you use its name again.'
      const texts = { emptied: 'The target is empty again.', untouched: 'The target was not touched.', kept }
      output.result({ state: 'aborted', target: outcome }, `The transfer is ended. ${texts[outcome]}`)
    })
  } finally {
    await source.close()
  }
}

function labelOf({ target }: DatabaseSettings): string {
  return target.provider === 'sqlite' ? `file:${target.file}` : labelOfServer(target.url)
}

async function runUnseal(from: DatabaseSettings, output: Output): Promise<void> {
  const source = await openSource(from)
  try {
    await unseal(source)
    output.result({ state: 'unsealed' }, `${source.label} takes writes again.`)
  } finally {
    await source.close()
  }
}

async function withTarget<T extends Target | null>(
  source: Source,
  target: T,
  work: (target: T) => Promise<void>,
): Promise<void> {
  try {
    if (target?.identity === source.identity) throw new UsageError('--from and --to name the same database.')
    await work(target)
  } finally {
    await target?.close()
  }
}

function summary({ state, tables, stopMs, changes }: TransferResult, target: Target): string {
  const restart = `Restart the servers with the DATABASE_URL of ${target.label}.`
  if (state === 'moved-before') return `Everything was moved already. ${restart}`
  const rows = tables.map((table) => `${table.name}: ${table.rows} rows, SHA-256 ${table.sha256}`).join('\n')
  return `${rows}\nMoved, with ${changes} changes made meanwhile; writers waited for ${Math.round(stopMs)} ms. ${restart}`
}

/** A driver's error, which has a code, is for people too; of every other the stack is needed. */
function explained(error: unknown): unknown {
  if (!(error instanceof Error) || !('code' in error) || error instanceof TransferError) return error
  return new TransferError(`${error.message} (${String(error.code)}). Call it again: it goes on where it was.`, {
    cause: error,
  })
}
