import { dirname } from 'node:path'
import { Inject, Injectable } from '@nestjs/common'
import { SETTINGS } from '../config/config.module.js'
import type { Settings } from '../config/settings.js'
import { Database } from '../database/database.js'
import { readMigrationFiles } from '../database/migrations/migration-files.js'
import { compareHistory, type MigrationFile } from '../database/migrations/migration-history.js'
import { freeBytes } from '../database/sqlite/free-space.js'

/** What must be so for requests to be sent here, beside a database that answers. */
@Injectable()
export class Preconditions {
  readonly #database: Database
  readonly #settings: Settings['database']
  readonly #files: readonly MigrationFile[]

  constructor(database: Database, @Inject(SETTINGS) { database: settings }: Settings) {
    this.#database = database
    this.#settings = settings
    this.#files = readMigrationFiles(settings.target.provider)
  }

  /** Why nobody should be sent here; undefined when there is no reason. */
  async fault(): Promise<string | undefined> {
    const { target, minFreeDiskBytes } = this.#settings
    if (target.provider === 'sqlite' && freeBytes(dirname(target.file)) < minFreeDiskBytes) {
      return 'the disk is nearly full'
    }
    const { state, names } = compareHistory(this.#files, await this.#database.appliedMigrations())
    return state === 'current' ? undefined : `the schema is ${state} (${names.join(', ')})`
  }
}
