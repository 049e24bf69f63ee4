import type { DatabaseSettings } from '../config/settings.js'
import { PostgresqlTermStore } from './postgresql-term-store.js'
import { SqliteTermStore } from './sqlite-term-store.js'
import type { TermStore } from './term-store.js'

export function openTermStore(settings: DatabaseSettings): Promise<TermStore> {
  const { target } = settings
  return target.provider === 'sqlite'
    ? SqliteTermStore.open(settings, target.file)
    : PostgresqlTermStore.open(target.url)
}
