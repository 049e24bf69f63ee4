import { Controller, Get, Header } from '@nestjs/common'
import { ApiExcludeController } from '@nestjs/swagger'
import { Requires } from '../access/requires.decorator.js'
import { Gatherer } from './gatherer.js'
import { METRICS_CONTENT_TYPE } from './snapshot.js'

/** For Prometheus; left out of the OpenAPI document, because its format is Prometheus' own and no client's of the API. */
@ApiExcludeController()
@Controller('metrics')
export class MetricsController {
  constructor(private readonly gatherer: Gatherer) {}

  @Get()
  @Requires('metrics:read')
  @Header('content-type', METRICS_CONTENT_TYPE)
  @Header('cache-control', 'no-store')
  getMetrics(): Promise<string> {
    return this.gatherer.metrics()
  }
}
