import { existsSync, readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'
import { parseSettings, type Settings } from './settings.js'

/**
 * The one place that reads the process environment. A `.env` file in the working folder fills in what the environment
 * does not set.
 * @throws InvalidSettingsError naming every bad variable
 */
export function loadSettings(): Settings {
  const fromFile = existsSync('.env') ? parseEnv(readFileSync('.env', 'utf8')) : {}
  return parseSettings({ ...fromFile, ...process.env }, process.stdout.isTTY === true)
}
