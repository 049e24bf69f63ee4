import { type DynamicModule, Inject, Module, type OnApplicationShutdown } from '@nestjs/common'
import type { Logger } from 'pino'
import { SETTINGS } from '../config/config.module.js'
import type { Settings } from '../config/settings.js'
import { LOGGER } from '../logging/logging.module.js'
import { Database } from './database.js'

/** Makes the database of the settings. */
export type OpenDatabase = (settings: Settings, logger: Logger) => Promise<Database>

/** Opens the database, and closes it once the last request has been answered. */
@Module({})
export class DatabaseModule implements OnApplicationShutdown {
  static forRoot(openDatabase: OpenDatabase): DynamicModule {
    return {
      module: DatabaseModule,
      global: true,
      providers: [{ provide: Database, inject: [SETTINGS, LOGGER], useFactory: openDatabase }],
      exports: [Database],
    }
  }

  constructor(@Inject(Database) private readonly database: Database) {}

  async onApplicationShutdown(): Promise<void> {
    await this.database.close()
  }
}
