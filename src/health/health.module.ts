import { Module } from '@nestjs/common'
import { HealthController } from './health.controller.js'
import { HealthService } from './health.service.js'
import { Preconditions } from './preconditions.js'

@Module({ controllers: [HealthController], providers: [HealthService, Preconditions] })
export class HealthModule {}
