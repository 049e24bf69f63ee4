import { Controller, Get, HttpCode, Param, Post, Query, Res, UseGuards } from '@nestjs/common'
import { ApiTags } from '@nestjs/swagger'
import type { FastifyReply } from 'fastify'
import { Requires } from '../../access/requires.decorator.js'
import type { PatchOperation } from '../../http/json-patch.js'
import { QueryPipe } from '../../http/query.pipe.js'
import { Idempotent, type IdempotentRequest } from '../../idempotency/idempotent.decorator.js'
import { ListRevisionsQuery } from '../dto/list-revisions.query.js'
import type { PersonaResource } from '../dto/persona.resource.js'
import { IfMatch } from '../if-match.decorator.js'
import { PersonaIdPipe } from '../persona-id.pipe.js'
import { presentEdited } from '../persona.presenter.js'
import type { ExpectedVersions } from '../persona.service.js'
import { PersonaWrites } from '../persona.writes.js'
import { RequireIfMatchGuard } from '../require-if-match.guard.js'
import { WrittenBy } from '../written-by.decorator.js'
import type { Writer } from '../writer.js'
import {
  DescribeDiffRevisions,
  DescribeGetRevision,
  DescribeListRevisions,
  DescribeRestoreRevision,
} from './revision.openapi.js'
import { presentDiff, presentRevision, presentRevisions } from './revision.presenter.js'
import type { RevisionResource, RevisionWithStateResource } from './revision.resource.js'
import { RevisionService } from './revision.service.js'
import { VersionPipe } from './version.pipe.js'

const OK = 200
const PersonaId = () => Param('id', PersonaIdPipe)
const Version = (name = 'version') => Param(name, VersionPipe)
const Reply = () => Res({ passthrough: true })

@ApiTags('revisions')
@Controller('api/v1/personas/:id/revisions')
export class RevisionController {
  constructor(
    private readonly revisions: RevisionService,
    private readonly writes: PersonaWrites,
  ) {}

  @Get()
  @Requires('personas:read')
  @DescribeListRevisions()
  async listRevisions(
    @PersonaId() id: string,
    @Query(QueryPipe) query: ListRevisionsQuery,
    @Reply() reply: FastifyReply,
  ): Promise<RevisionResource[]> {
    const { limit, before } = query
    return presentRevisions(reply, id, query, await this.revisions.list(id, { limit, before }))
  }

  @Get(':version')
  @Requires('personas:read')
  @DescribeGetRevision()
  async getRevision(@PersonaId() id: string, @Version() version: number): Promise<RevisionWithStateResource> {
    return presentRevision(await this.revisions.get(id, version))
  }

  @Get(':version/diff/:other')
  @Requires('personas:read')
  @DescribeDiffRevisions()
  async diffRevisions(
    @PersonaId() id: string,
    @Version() version: number,
    @Version('other') other: number,
    @Reply() reply: FastifyReply,
  ): Promise<PatchOperation[]> {
    return presentDiff(reply, await this.revisions.pair(id, version, other))
  }

  @Post(':version/restore')
  @Requires('personas:write')
  @HttpCode(OK)
  @UseGuards(RequireIfMatchGuard)
  @DescribeRestoreRevision()
  async restoreRevision(
    @PersonaId() id: string,
    @Version() version: number,
    @IfMatch() versions: ExpectedVersions,
    @Idempotent() idempotent: IdempotentRequest | undefined,
    @WrittenBy() writer: Writer,
    @Reply() reply: FastifyReply,
  ): Promise<PersonaResource> {
    return this.writes.single({ idempotent, body: {}, reply }, async (personas, headers) => {
      const fields = await this.revisions.fieldsAt(id, version)
      return presentEdited(headers, await personas.restore(id, fields, versions, writer))
    })
  }
}
