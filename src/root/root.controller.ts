import { Controller, Get } from '@nestjs/common'
import { ApiOperation, ApiProperty, ApiResponse, ApiTags } from '@nestjs/swagger'
import { Open } from '../access/requires.decorator.js'
import { responseHeaders } from '../http/openapi.js'
import { packageInfo } from '../package-root.js'

const LINKS = {
  personas: '/api/v1/personas/',
  health: '/health',
  docs: '/docs',
  openapi: '/openapi.json',
}

class ServiceResource {
  @ApiProperty({ example: 'gator-personas' })
  readonly name!: string

  @ApiProperty({ example: '0.1.0' })
  readonly version!: string

  @ApiProperty({ enum: ['operational'], example: 'operational' })
  readonly status!: 'operational'

  @ApiProperty({ type: 'object', additionalProperties: { type: 'string' }, example: LINKS })
  readonly links!: Readonly<Record<string, string>>
}

@ApiTags('service')
@Controller()
export class RootController {
  @Get()
  @Open()
  @ApiOperation({ summary: 'What this is, and where everything else is' })
  @ApiResponse({ status: 200, description: 'The service.', type: ServiceResource, headers: responseHeaders() })
  getService(): ServiceResource {
    return { ...packageInfo, status: 'operational', links: LINKS }
  }
}
