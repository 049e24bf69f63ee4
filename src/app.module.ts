import { type DynamicModule, Module, type Type } from '@nestjs/common'
import { APP_FILTER } from '@nestjs/core'
import type { Logger } from 'pino'
import { AccessModule } from './access/access.module.js'
import type { KeyRing } from './access/key-ring.js'
import { AdminModule } from './admin/admin.module.js'
import { ConfigModule } from './config/config.module.js'
import type { Settings } from './config/settings.js'
import { DatabaseModule, type OpenDatabase } from './database/database.module.js'
import { HealthModule } from './health/health.module.js'
import { ProblemFilter } from './http/problem.filter.js'
import { LoggingModule } from './logging/logging.module.js'
import type { Gatherer } from './metrics/gatherer.js'
import { MetricsModule } from './metrics/metrics.module.js'
import type { ProcessMetrics } from './metrics/process-metrics.js'
import { PersonasModule } from './personas/personas.module.js'
import { RootController } from './root/root.controller.js'

/** What this process measures, and who asks all of them. */
export interface Measuring {
  readonly metrics: ProcessMetrics
  readonly gatherer: Gatherer
}

@Module({})
export class AppModule {
  static forRoot(
    settings: Settings,
    logger: Logger,
    openDatabase: OpenDatabase,
    { metrics, gatherer }: Measuring,
    keys: KeyRing,
    controllers: readonly Type[],
  ): DynamicModule {
    return {
      module: AppModule,
      imports: [
        ConfigModule.forRoot(settings),
        LoggingModule.forRoot(logger),
        DatabaseModule.forRoot(openDatabase, metrics),
        MetricsModule.forRoot(metrics, gatherer),
        AccessModule.forRoot(keys),
        HealthModule,
        PersonasModule,
        AdminModule,
      ],
      controllers: [RootController, ...controllers],
      providers: [{ provide: APP_FILTER, useClass: ProblemFilter }],
    }
  }
}
