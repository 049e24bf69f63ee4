import { closeSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { Command } from 'commander'
import { loadSettings } from '../../config/environment.js'
import { settingDefinitions } from '../../config/setting-definitions.js'
import { importLegacy } from '../../import-legacy/import-legacy.js'
import { type ImportReport, reportText } from '../../import-legacy/import-report.js'
import { CommandFailedError, UsageError } from '../failure.js'
import { createOutput, type Output, type Progress } from '../output.js'

interface Options {
  readonly to?: string
  readonly dryRun?: boolean
  readonly json?: boolean
  readonly report?: string
}

/** `gator import-legacy`: brings the personas of the predecessor's SQLite file into the database. */
export function importLegacyCommand(): Command {
  return new Command('import-legacy')
    .description("import the personas of the predecessor's SQLite file; running it again imports what is missing")
    .argument('<file>', "the predecessor's gator.db; it stays as it is")
    .option('--to <url>', 'the database to import into, instead of that of DATABASE_URL')
    .option('-n, --dry-run', 'read, compare and report; write nothing')
    .option('--json', 'print the whole report as JSON')
    .option('--report <file>', 'write the whole report to a new file, as JSON')
    .action(run)
}

async function run(file: string, options: Options): Promise<void> {
  const { dryRun: isDryRun = false, json: isJson = false } = options
  const output = createOutput(isJson)
  const settings = loadSettings(targetOf(options))
  const report = await withReportFile(options.report, () => {
    const { onProgress, stop } = progressOf(output, isDryRun ? 'Reading' : 'Importing')
    return importLegacy({ file, settings, isDryRun, onProgress }).finally(stop)
  })
  const isComplete = report.rows.notImported === 0
  output.result({ ok: isComplete, ...report }, reportText(report))
  if (!isComplete) process.exitCode = 1
}

function targetOf({ to }: Options): { DATABASE_URL?: string; DATABASE_DIRECT_URL?: string } {
  if (to === undefined) return {}
  const found = settingDefinitions.DATABASE_URL.schema.safeParse(to)
  // The value is not told: it may hold a password.
  if (!found.success) throw new UsageError(`--to ${found.error.issues[0]?.message ?? 'is not valid'}`)
  // The way around a pooler leads to the other database.
  return { DATABASE_URL: to, DATABASE_DIRECT_URL: '' }
}

/** Runs `work` and writes what it reports; that the file can be written is known before it begins. */
async function withReportFile(path: string | undefined, work: () => Promise<ImportReport>): Promise<ImportReport> {
  if (path === undefined) return work()
  const file = openNew(path)
  let report: ImportReport | undefined
  try {
    report = await work()
    writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`)
    return report
  } finally {
    closeSync(file)
    if (!report) rmSync(path)
  }
}

function openNew(path: string): number {
  try {
    return openSync(path, 'wx', 0o600)
  } catch (error) {
    const isThere = error instanceof Error && 'code' in error && error.code === 'EEXIST'
    if (isThere) throw new UsageError(`--report: ${path} is there already, and is not overwritten`)
    throw new CommandFailedError(`--report: ${path} cannot be written: ${String(error)}`)
  }
}

function progressOf(output: Output, title: string) {
  let bar: Progress | undefined
  return {
    onProgress: (done: number, total: number) => (bar ??= output.progress(title, total)).update(done),
    stop: () => bar?.stop(),
  }
}
