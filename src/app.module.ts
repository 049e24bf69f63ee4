import { type DynamicModule, Module } from '@nestjs/common'
import { APP_FILTER } from '@nestjs/core'
import type { Logger } from 'pino'
import { ConfigModule } from './config/config.module.js'
import type { Settings } from './config/settings.js'
import { DatabaseModule, type OpenDatabase } from './database/database.module.js'
import { HealthModule } from './health/health.module.js'
import { ProblemFilter } from './http/problem.filter.js'
import { LoggingModule } from './logging/logging.module.js'
import { PersonasModule } from './personas/personas.module.js'
import { RootController } from './root/root.controller.js'

@Module({})
export class AppModule {
  static forRoot(settings: Settings, logger: Logger, openDatabase: OpenDatabase): DynamicModule {
    return {
      module: AppModule,
      imports: [
        ConfigModule.forRoot(settings),
        LoggingModule.forRoot(logger),
        DatabaseModule.forRoot(openDatabase),
        HealthModule,
        PersonasModule,
      ],
      controllers: [RootController],
      providers: [{ provide: APP_FILTER, useClass: ProblemFilter }],
    }
  }
}
