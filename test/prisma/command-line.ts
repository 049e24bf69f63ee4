import { spawn } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const ROOT = resolve(import.meta.dirname, '../..')
const PRISMA = join(ROOT, 'node_modules', 'prisma', 'build', 'index.js')

export type Provider = 'sqlite' | 'postgresql'

export interface Outcome {
  code: number
  /** What the command wrote to stdout and stderr, without colours. */
  output: string
}

/**
 * A copy of what Prisma's command line needs of this project, in a folder of its own: its schema and its migrations can
 * be changed, and generated files do not meet the project's.
 */
export class ProjectCopy {
  readonly folder = mkdtempSync(join(tmpdir(), 'gator-prisma-'))

  constructor() {
    cpSync(join(ROOT, 'prisma'), join(this.folder, 'prisma'), {
      recursive: true,
      filter: (source) => !source.startsWith(join(ROOT, 'prisma', 'derived')),
    })
    for (const file of ['prisma.config.ts', 'package.json']) cpSync(join(ROOT, file), join(this.folder, file))
    symlinkSync(join(ROOT, 'node_modules'), join(this.folder, 'node_modules'), 'dir')
  }

  /** Where an SQLite database of this copy may lie; its folder does not exist yet. */
  sqliteUrl(name = 'test'): string {
    return `file:${join(this.folder, 'databases', `${name}.db`)}`
  }

  migrations(provider: Provider): string {
    return join(this.folder, 'prisma', 'migrations', provider)
  }

  migrationNames(provider: Provider): string[] {
    const entries = readdirSync(this.migrations(provider), { withFileTypes: true })
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name)
  }

  read(path: string): string {
    return readFileSync(join(this.folder, path), 'utf8')
  }

  write(path: string, text: string): string {
    const file = join(this.folder, path)
    mkdirSync(join(file, '..'), { recursive: true })
    writeFileSync(file, text)
    return file
  }

  /** Adds a migration by hand, as a person would. */
  writeMigration(provider: Provider, name: string, sql: string): void {
    this.write(join('prisma', 'migrations', provider, name, 'migration.sql'), sql)
  }

  /** Adds a line to the model. */
  addField(line: string): void {
    const path = join('prisma', 'schema.prisma')
    this.write(path, this.read(path).replace('\n\n  @@index', `\n  ${line}\n\n  @@index`))
  }

  /** Runs `prisma` in this folder on a database. */
  prisma(databaseUrl: string, parameters: string[], environment: Record<string, string> = {}): Promise<Outcome> {
    return run(process.execPath, [PRISMA, ...parameters], this.#options(databaseUrl, environment))
  }

  /**
   * Runs `prisma` on a terminal, which `migrate dev` insists on. `script` is part of util-linux and lends it one; its
   * command goes through the environment, so that no path is ever read by a shell.
   */
  prismaOnTerminal(databaseUrl: string, parameters: string[]): Promise<Outcome> {
    const words = [process.execPath, PRISMA, ...parameters]
    const environment = Object.fromEntries(words.map((word, index) => [`WORD_${index}`, word]))
    const command = words.map((_word, index) => `"$WORD_${index}"`).join(' ')
    const options = this.#options(databaseUrl, { ...environment, SHELL: '/bin/sh' })
    return run('script', ['-qec', command, '/dev/null'], options)
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }

  #options(databaseUrl: string, environment: Record<string, string>): RunOptions {
    return { cwd: this.folder, environment: { ...ownEnvironment(), DATABASE_URL: databaseUrl, ...environment } }
  }
}

/** Variables by which the command line recognises a CI service, where it refuses to be interactive even on a terminal. */
const CI_VARIABLES = ['CI', 'CONTINUOUS_INTEGRATION', 'BUILD_NUMBER', 'RUN_ID', 'GITHUB_ACTIONS', 'GITLAB_CI']

/** The environment without what would change the command line's behaviour. */
function ownEnvironment(): NodeJS.ProcessEnv {
  const unwanted = [...CI_VARIABLES, 'NODE_OPTIONS', 'PRISMA_SCHEMA_ENGINE_BINARY', 'DEBUG', 'FORCE_COLOR']
  const kept = Object.entries(process.env).filter(([name]) => !unwanted.includes(name))
  return { ...Object.fromEntries(kept), NO_COLOR: '1', CHECKPOINT_DISABLE: '1', TERM: 'xterm' }
}

interface RunOptions {
  cwd: string
  environment: NodeJS.ProcessEnv
}

/** Runs a program to its end. Standard input is empty. */
export function run(file: string, parameters: string[], { cwd, environment }: RunOptions): Promise<Outcome> {
  return new Promise((resolveOutcome, reject) => {
    const child = spawn(file, parameters, { cwd, env: environment, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    const collect = (chunk: string): void => void (output += chunk)
    child.stdout.setEncoding('utf8').on('data', collect)
    child.stderr.setEncoding('utf8').on('data', collect)
    child.on('error', reject)
    child.on('close', (code) => resolveOutcome({ code: code ?? -1, output: stripColours(output) }))
  })
}

function stripColours(text: string): string {
  // eslint-disable-next-line no-control-regex
  return text.replace(/\u001b\[[0-9;]*m/g, '')
}
