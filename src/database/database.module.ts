import { Global, Inject, Module, type OnApplicationShutdown } from '@nestjs/common'
import type { Logger } from 'pino'
import { SETTINGS } from '../config/config.module.js'
import type { Settings } from '../config/settings.js'
import { LOGGER } from '../logging/logging.module.js'
import { Database } from './database.js'
import { openDatabase } from './open-database.js'

/** Opens the database of the settings, and closes it once the last request has been answered. */
@Global()
@Module({
  providers: [
    {
      provide: Database,
      inject: [SETTINGS, LOGGER],
      useFactory: (settings: Settings, logger: Logger) => openDatabase(settings, logger),
    },
  ],
  exports: [Database],
})
export class DatabaseModule implements OnApplicationShutdown {
  constructor(@Inject(Database) private readonly database: Database) {}

  async onApplicationShutdown(): Promise<void> {
    await this.database.close()
  }
}
