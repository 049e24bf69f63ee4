import { type DynamicModule, Inject, Module, type OnApplicationShutdown } from '@nestjs/common'
import type { Logger } from 'pino'
import { SETTINGS } from '../config/config.module.js'
import type { Settings } from '../config/settings.js'
import { LOGGER } from '../logging/logging.module.js'
import type { DatabaseWatch } from './database-watch.js'
import { Database } from './database.js'

/** Makes the database of the settings, watched from its first statement on. */
export type OpenDatabase = (settings: Settings, logger: Logger, watch: DatabaseWatch) => Promise<Database>

/** Opens the database, and closes it once the last request has been answered. */
@Module({})
export class DatabaseModule implements OnApplicationShutdown {
  static forRoot(openDatabase: OpenDatabase, watch: DatabaseWatch): DynamicModule {
    return {
      module: DatabaseModule,
      global: true,
      providers: [
        {
          provide: Database,
          inject: [SETTINGS, LOGGER],
          useFactory: (settings: Settings, logger: Logger) => openDatabase(settings, logger, watch),
        },
      ],
      exports: [Database],
    }
  }

  constructor(@Inject(Database) private readonly database: Database) {}

  async onApplicationShutdown(): Promise<void> {
    await this.database.close()
  }
}
