import { Controller, Get, Res } from '@nestjs/common'
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger'
import type { FastifyReply } from 'fastify'
import { Probe } from '../access/requires.decorator.js'
import { probeHeaders } from '../http/openapi.js'
import { type HealthReport, HealthResource, LivenessResource, ReadinessResource } from './health.resource.js'
import { HealthService } from './health.service.js'

const SERVICE_UNAVAILABLE = 503

@ApiTags('health')
@Controller('health')
export class HealthController {
  constructor(private readonly health: HealthService) {}

  @Get()
  @Probe()
  @ApiOperation({ summary: 'How the service and its database are' })
  @ApiResponse({ status: 200, description: 'Healthy.', type: HealthResource, headers: probeHeaders() })
  @ApiResponse({
    status: 503,
    description: 'The database does not answer.',
    type: HealthResource,
    headers: probeHeaders('Retry-After'),
  })
  async getHealth(@Res({ passthrough: true }) reply: FastifyReply): Promise<HealthResource> {
    return answered(reply, await this.health.report())
  }

  @Get('live')
  @Probe()
  @ApiOperation({ summary: 'Whether the process answers; the database is not asked' })
  @ApiResponse({ status: 200, description: 'Alive.', type: LivenessResource, headers: probeHeaders() })
  getLiveness(): LivenessResource {
    return { status: 'alive' }
  }

  @Get('ready')
  @Probe()
  @ApiOperation({ summary: 'Whether this process should get requests' })
  @ApiResponse({ status: 200, description: 'Ready.', type: ReadinessResource, headers: probeHeaders() })
  @ApiResponse({
    status: 503,
    description: 'Not ready.',
    type: ReadinessResource,
    headers: probeHeaders('Retry-After'),
  })
  async getReadiness(@Res({ passthrough: true }) reply: FastifyReply): Promise<ReadinessResource> {
    return answered(reply, await this.health.readiness())
  }
}

function answered<T>(reply: FastifyReply, { isHealthy, body }: HealthReport<T>): T {
  reply.header('cache-control', 'no-store')
  if (!isHealthy) reply.code(SERVICE_UNAVAILABLE).header('retry-after', '1')
  return body
}
