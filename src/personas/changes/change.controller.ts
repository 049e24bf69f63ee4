import { Controller, Get, Query, Req, Res, type StreamableFile } from '@nestjs/common'
import { ApiTags } from '@nestjs/swagger'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { KeyRing } from '../../access/key-ring.js'
import { Requires } from '../../access/requires.decorator.js'
import { QueryPipe } from '../../http/query.pipe.js'
import { ListChangesQuery, StreamChangesQuery } from '../dto/changes.query.js'
import { ChangeFeed } from './change-feed.js'
import { DescribeListChanges, DescribeStreamChanges } from './change.openapi.js'
import { presentChanges, presentStream } from './change.presenter.js'
import type { ChangesResource } from './change.resource.js'
import { ChangeService } from './change.service.js'

const SCOPE = 'personas:read'
const Reply = () => Res({ passthrough: true })

@ApiTags('changes')
@Controller('api/v1/personas')
export class ChangeController {
  constructor(
    private readonly feed: ChangeFeed,
    private readonly changes: ChangeService,
    private readonly keys: KeyRing,
  ) {}

  @Get('events')
  @Requires(SCOPE)
  @DescribeStreamChanges()
  async streamChanges(
    @Query(QueryPipe) { after }: StreamChangesQuery,
    @Req() request: FastifyRequest,
    @Reply() reply: FastifyReply,
  ): Promise<StreamableFile> {
    const isPermitted = () => this.keys.stillAdmits(request.headers.authorization, SCOPE)
    return presentStream(request, reply, after, (id) => this.feed.open(id, reply.raw, isPermitted))
  }

  @Get('changes')
  @Requires(SCOPE)
  @DescribeListChanges()
  async listChanges(
    @Query(QueryPipe) { after, limit }: ListChangesQuery,
    @Reply() reply: FastifyReply,
  ): Promise<ChangesResource> {
    return presentChanges(reply, await this.changes.since(after, limit))
  }
}
