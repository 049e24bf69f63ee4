import type { Settings } from '../config/settings.js'
import type { Check } from './check.js'
import { backupChecks, programChecks, settingChecks } from './common-checks.js'
import { migrationChecks } from './migration-checks.js'
import { postgresqlChecks } from './postgresql-checks.js'
import { sqliteChecks } from './sqlite-checks.js'

/** Everything that there is to look at with these settings. Nothing is changed, and servers may run. */
export function checksOf(settings: Settings): Check[] {
  const { target } = settings.database
  return [
    ...programChecks(),
    ...settingChecks(settings),
    ...(target.provider === 'sqlite' ? sqliteChecks(target.file, settings.database) : postgresqlChecks(settings)),
    ...migrationChecks(settings.database),
    ...backupChecks(settings),
  ]
}
