import { existsSync, readFileSync } from 'node:fs'
import { delimiter } from 'node:path'
import { parseEnv } from 'node:util'
import { parseSettings, type SettingName, type Settings } from './settings.js'

/**
 * The one place that reads the process environment. A `.env` file in the working folder fills in what the environment
 * does not set.
 * @param overrides what a command line says instead
 * @throws InvalidSettingsError naming every bad variable
 */
export function loadSettings(overrides: Readonly<Partial<Record<SettingName, string>>> = {}): Settings {
  const fromFile = existsSync('.env') ? parseEnv(readFileSync('.env', 'utf8')) : {}
  return parseSettings({ ...fromFile, ...process.env, ...overrides }, process.stdout.isTTY === true)
}

const WORKER_SLOT = 'GATOR_WORKER_SLOT'
const DATABASE_FILES = 'GATOR_DATABASE_FILES'

/** What a forked worker learns of the primary. */
export interface WorkerEnvironment {
  /** 1, 2, … */
  readonly slot: number
  /** The port of all workers. */
  readonly port: number
  /** The files that all workers serve, as `DatabaseIdentity` spells them; none on PostgreSQL. */
  readonly databaseFiles?: string | undefined
}

/** The environment of a forked worker. */
export function workerEnvironment({ slot, port, databaseFiles }: WorkerEnvironment): Record<string, string> {
  return { [WORKER_SLOT]: String(slot), PORT: String(port), ...(databaseFiles && { [DATABASE_FILES]: databaseFiles }) }
}

/** The files that this worker must find at the database's path; undefined in a process that was not forked. */
export function expectedDatabaseFiles(): string | undefined {
  return workerSlot() === undefined ? undefined : process.env[DATABASE_FILES]
}

/** The slot that the primary gave this worker; undefined in a process that was not forked by one. */
export function workerSlot(): number | undefined {
  const slot = process.env[WORKER_SLOT]
  return slot === undefined ? undefined : Number(slot)
}

/** The environment of a child process, with some variables replaced. */
export function environmentWith(overrides: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  return { ...process.env, ...overrides }
}

/** The folders in which the system looks for programs. */
export function searchPath(): string[] {
  return (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '')
}
