import { type DynamicModule, Module, type OnApplicationShutdown } from '@nestjs/common'
import { Gatherer } from './gatherer.js'
import { MetricsController } from './metrics.controller.js'
import { ProcessMetrics } from './process-metrics.js'

/** Serves what all processes measure. */
@Module({})
export class MetricsModule implements OnApplicationShutdown {
  static forRoot(metrics: ProcessMetrics, gatherer: Gatherer): DynamicModule {
    return {
      module: MetricsModule,
      global: true,
      controllers: [MetricsController],
      providers: [
        { provide: ProcessMetrics, useValue: metrics },
        { provide: Gatherer, useValue: gatherer },
      ],
      exports: [ProcessMetrics, Gatherer],
    }
  }

  constructor(private readonly gatherer: Gatherer) {}

  async onApplicationShutdown(): Promise<void> {
    await this.gatherer.close()
  }
}
