import { existsSync, readFileSync } from 'node:fs'
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

/** The environment of a forked worker: it learns its slot (1, 2, …) from it, and the port of all workers. */
export function workerEnvironment(slot: number, port: number): Record<string, string> {
  return { [WORKER_SLOT]: String(slot), PORT: String(port) }
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
