import { Controller, HttpCode, Inject, Post, Res } from '@nestjs/common'
import { ApiTags } from '@nestjs/swagger'
import type { FastifyReply } from 'fastify'
import { Requires } from '../../access/requires.decorator.js'
import { SETTINGS } from '../../config/config.module.js'
import type { Settings } from '../../config/settings.js'
import { Idempotent, type IdempotentRequest } from '../../idempotency/idempotent.decorator.js'
import { PersonaWrites } from '../persona.writes.js'
import type { Writer } from '../writer.js'
import { WrittenBy } from '../written-by.decorator.js'
import { BatchBody } from './batch-body.decorator.js'
import { DescribeWriteBatch } from './batch.openapi.js'
import type { BatchResource } from './batch.resource.js'
import { type Batch, runBatch } from './run-batch.js'

const OK = 200

@ApiTags('personas')
@Controller('api/v1/personas/batch')
export class BatchController {
  constructor(
    private readonly writes: PersonaWrites,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  @Post()
  @Requires('personas:write')
  @HttpCode(OK)
  @DescribeWriteBatch()
  writeBatch(
    @BatchBody() batch: Batch,
    @Idempotent() idempotent: IdempotentRequest | undefined,
    @WrittenBy() writer: Writer,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<BatchResource> {
    const context = { writer, requiresIfMatch: this.settings.server.requiresIfMatch }
    return this.writes.together({ idempotent, body: batch.document, reply }, (personas) =>
      runBatch(personas, batch, context),
    )
  }
}
