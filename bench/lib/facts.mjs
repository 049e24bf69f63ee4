import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { cpus, release, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'
import BetterSqlite3 from 'better-sqlite3'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const PACKAGES = ['@nestjs/core', 'fastify', '@prisma/client', 'better-sqlite3', 'pg']

/** What the figures of a run depend on beside the plan. */
export function factsOf() {
  const database = new BetterSqlite3(':memory:')
  const sqlite = database.prepare('SELECT sqlite_version()').pluck().get()
  database.close()
  return {
    cpu: cpus()[0].model.trim(),
    cores: cpus().length,
    memoryBytes: totalmem(),
    system: `${process.platform} ${release()}`,
    node: process.versions.node,
    sqlite,
    packages: Object.fromEntries(PACKAGES.map((name) => [name, versionOf(name)])),
    commit: git('rev-parse', 'HEAD'),
    hasUncommittedChanges: git('status', '--porcelain') !== '',
  }
}

function versionOf(name) {
  return createRequire(`${ROOT}package.json`)(`${name}/package.json`).version
}

/** Empty where there is no git. */
function git(...args) {
  return (spawnSync('git', args, { cwd: ROOT, encoding: 'utf8' }).stdout ?? '').trim()
}
