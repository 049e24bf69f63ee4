import { ApiProperty } from '@nestjs/swagger'

/** A state with the body that tells it. */
export interface HealthReport<T> {
  readonly isHealthy: boolean
  readonly body: T
}

class HealthDetails {
  @ApiProperty({ enum: ['sqlite', 'postgresql'], example: 'sqlite' })
  readonly provider!: 'sqlite' | 'postgresql'

  @ApiProperty({ description: 'Whether it answers a read.', enum: ['healthy', 'unhealthy'], example: 'healthy' })
  readonly read!: 'healthy' | 'unhealthy'

  @ApiProperty({ description: 'Whether it takes a write.', enum: ['healthy', 'unhealthy'], example: 'healthy' })
  readonly write!: 'healthy' | 'unhealthy'

  @ApiProperty({ description: 'How long the database took to answer, in milliseconds.', example: 0.4 })
  readonly latency_ms!: number

  @ApiProperty({ description: 'How long this process has been running, in seconds.', example: 86400 })
  readonly uptime_seconds!: number
}

export class HealthResource {
  @ApiProperty({ enum: ['healthy', 'unhealthy'], example: 'healthy' })
  readonly status!: 'healthy' | 'unhealthy'

  @ApiProperty({ enum: ['healthy', 'unhealthy'], example: 'healthy' })
  readonly database!: 'healthy' | 'unhealthy'

  @ApiProperty({ format: 'date-time', example: '2026-11-23T05:06:07.089Z' })
  readonly timestamp!: string

  @ApiProperty({ example: '0.1.0' })
  readonly version!: string

  @ApiProperty({ type: HealthDetails })
  readonly details!: HealthDetails
}

export class LivenessResource {
  @ApiProperty({ enum: ['alive'], example: 'alive' })
  readonly status!: 'alive'
}

export class ReadinessResource {
  @ApiProperty({ enum: ['ready', 'not ready'], example: 'ready' })
  readonly status!: 'ready' | 'not ready'

  @ApiProperty({ required: false, description: 'Why the process is not ready.', example: 'shutting down' })
  readonly reason?: string
}
