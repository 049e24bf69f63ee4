import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { backupsOf } from '../backup/folder.js'
import { databaseNameOf } from '../backup/manifest.js'
import { isLoopback, type Settings } from '../config/settings.js'
import { packageInfo, packageRoot } from '../package-root.js'
import { type Check, green, type Outcome, red, yellow } from './check.js'

/** What package.json asks for. */
const OLDEST_NODE = [20, 19] as const
const PACKAGES = ['prisma', '@prisma/client', 'better-sqlite3', 'pg']
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/** The versions of what runs. */
export function programChecks(): Check[] {
  return [
    { about: 'gator', run: () => green(packageInfo.version) },
    { about: 'Node', run: nodeVersion },
    { about: 'packages', run: () => green(PACKAGES.map((name) => `${name} ${versionOf(name)}`).join(', ')) },
  ]
}

/** Settings under which something may be lost, or read by anyone. */
export function settingChecks({ server, access, database }: Settings): Check[] {
  const risks = [
    ...(database.target.provider === 'sqlite' && database.synchronous === 'NORMAL'
      ? ['DATABASE_SYNCHRONOUS=NORMAL: a power cut may take the last acknowledged writes; FULL keeps them.']
      : []),
    ...(database.busyTimeoutMs === 0 ? ['DATABASE_BUSY_TIMEOUT_MS=0: no write waits for another, it is refused.'] : []),
    ...(isLoopback(server.host) || !access.allowsUnauthenticated
      ? []
      : [`HOST=${server.host}: while there is no API key, whoever reaches it may read and write.`]),
  ]
  const run = () => (risks.length === 0 ? green('nothing risky') : yellow(`${risks.length} risky`, risks.join(' ')))
  return [{ about: 'settings', run }]
}

/** Whether there are backups, and how old the newest is. */
export function backupChecks({ backup, database }: Settings): Check[] {
  const run = () => backupState(backup, databaseNameOf(database.target), Date.now())
  return [{ about: 'backups', run }]
}

function backupState({ directory, intervalMs }: Settings['backup'], database: string, now: number): Outcome {
  const backups = backupsOf(directory, database)
  const [newest] = backups
  if (!newest) return yellow(`none in ${directory}`, 'Make one with "gator backup", or set BACKUP_INTERVAL_MINUTES.')
  const ageMs = now - Date.parse(newest.manifest.startedAt)
  const what = `${backups.length} in ${directory}, the newest ${newest.name}`
  const isOld = ageMs > (intervalMs > 0 ? 2 * intervalMs : DAY_MS)
  if (!isOld) return green(what)
  return yellow(
    `${what}: ${Math.round(ageMs / HOUR_MS)} hours old`,
    'Make one with "gator backup", or look why the schedule does not.',
  )
}

function nodeVersion(): Outcome {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const isOldEnough = major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])
  const { node } = process.versions
  return isOldEnough ? green(node) : red(node, `Install Node ${OLDEST_NODE.join('.')} or newer.`)
}

function versionOf(name: string): string {
  const manifest = readFileSync(join(packageRoot, 'node_modules', name, 'package.json'), 'utf8')
  return (JSON.parse(manifest) as { version: string }).version
}
