import type { DatabaseSettings } from '../config/settings.js'
import { PostgresqlRevisionStore } from './postgresql-revision-store.js'
import type { RevisionStore } from './revision-store.js'
import { SqliteRevisionStore } from './sqlite-revision-store.js'

export function openRevisionStore(settings: DatabaseSettings): Promise<RevisionStore> {
  const { target } = settings
  return target.provider === 'sqlite'
    ? SqliteRevisionStore.open(settings, target.file)
    : PostgresqlRevisionStore.open(target.url)
}
