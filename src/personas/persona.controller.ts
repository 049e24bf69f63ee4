import { Controller, Delete, Get, HttpCode, Param, Patch, Post, Put, Query, Req, Res, UseGuards } from '@nestjs/common'
import { ApiTags } from '@nestjs/swagger'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Requires } from '../access/requires.decorator.js'
import { Idempotent, type IdempotentRequest } from '../idempotency/idempotent.decorator.js'
import { QueryPipe } from '../http/query.pipe.js'
import { ResourceBody } from '../http/resource-body.decorator.js'
import { GetPersonaQuery } from './dto/get-persona.query.js'
import { ListPersonasQuery } from './dto/list-personas.query.js'
import { CountGenerationsDto, CreatePersonaDto, PatchPersonaDto, UpdatePersonaDto } from './dto/persona.dto.js'
import type { PersonaResource } from './dto/persona.resource.js'
import { IfMatch } from './if-match.decorator.js'
import { PersonaNotFoundError } from './persona.errors.js'
import { PersonaIdPipe } from './persona-id.pipe.js'
import { presentList } from './lists/list.presenter.js'
import { PersonaLists } from './lists/persona-lists.js'
import { isByCursor, readList } from './lists/read-list.js'
import {
  DescribeCountGenerations,
  DescribeCreatePersona,
  DescribeDeletePersona,
  DescribeGetPersona,
  DescribeListPersonas,
  DescribePatchPersona,
  DescribeUpdatePersona,
} from './persona.openapi.js'
import { NEW_PERSONA_BODY, PERSONA_BODY } from './persona.bodies.js'
import { toChanges, toNewPersona, toPatch } from './persona.mapper.js'
import { present, presentCreated, presentEdited, presentPage, presentRead } from './persona.presenter.js'
import { type ExpectedVersions, PersonaService } from './persona.service.js'
import { PersonaWrites } from './persona.writes.js'
import { PersonaReads } from './reads/persona.reads.js'
import { represent } from './reads/representation.js'
import { RequireIfMatchGuard } from './require-if-match.guard.js'
import { RevisionService } from './revisions/revision.service.js'
import type { Writer } from './writer.js'
import { WrittenBy } from './written-by.decorator.js'

const NO_CONTENT = 204
const OK = 200
const NewPersonaBody = () => ResourceBody(NEW_PERSONA_BODY)
const PersonaBody = () => ResourceBody(PERSONA_BODY)
const PersonaId = () => Param('id', PersonaIdPipe)
const Reply = () => Res({ passthrough: true })

@ApiTags('personas')
@Controller('api/v1/personas')
export class PersonaController {
  constructor(
    private readonly personas: PersonaService,
    private readonly reads: PersonaReads,
    private readonly lists: PersonaLists,
    private readonly writes: PersonaWrites,
    private readonly revisions: RevisionService,
  ) {}

  @Post()
  @Requires('personas:write')
  @DescribeCreatePersona()
  async createPersona(
    @NewPersonaBody() body: CreatePersonaDto,
    @Idempotent() idempotent: IdempotentRequest | undefined,
    @WrittenBy() writer: Writer,
    @Reply() reply: FastifyReply,
  ): Promise<PersonaResource> {
    return this.writes.single({ idempotent, body, reply }, async (personas, headers) =>
      presentCreated(headers, await personas.create(toNewPersona(body), writer)),
    )
  }

  @Get()
  @Requires('personas:read')
  @DescribeListPersonas()
  async listPersonas(@Query(QueryPipe) query: ListPersonasQuery, @Reply() reply: FastifyReply): Promise<Buffer> {
    const { skip, limit, active_only: activeOnly } = query
    if (!isByCursor(query)) return presentPage(reply, query, await this.reads.findPage({ skip, limit, activeOnly }))
    const request = readList(query, this.lists.dialect)
    return presentList(reply, query, request, await this.lists.page(request))
  }

  @Get(':id')
  @Requires('personas:read')
  @DescribeGetPersona()
  async getPersona(
    @PersonaId() id: string,
    @Query(QueryPipe) query: GetPersonaQuery,
    @Req() request: FastifyRequest,
    @Reply() reply: FastifyReply,
  ): Promise<Buffer | undefined> {
    const { as_of: time } = query
    const found = time ? represent(await this.revisions.stateAt(id, time)) : await this.reads.find(id)
    if (!found) throw new PersonaNotFoundError(id)
    return presentRead(request, reply, query, found)
  }

  @Put(':id')
  @Requires('personas:write')
  @UseGuards(RequireIfMatchGuard)
  @DescribeUpdatePersona()
  async updatePersona(
    @PersonaId() id: string,
    @PersonaBody() body: UpdatePersonaDto,
    @IfMatch() versions: ExpectedVersions,
    @WrittenBy() writer: Writer,
    @Reply() reply: FastifyReply,
  ): Promise<PersonaResource> {
    return presentEdited(reply, await this.personas.update(id, toChanges(body), versions, writer))
  }

  @Patch(':id')
  @Requires('personas:write')
  @UseGuards(RequireIfMatchGuard)
  @DescribePatchPersona()
  async patchPersona(
    @PersonaId() id: string,
    @PersonaBody() body: PatchPersonaDto,
    @IfMatch() versions: ExpectedVersions,
    @Idempotent() idempotent: IdempotentRequest | undefined,
    @WrittenBy() writer: Writer,
    @Reply() reply: FastifyReply,
  ): Promise<PersonaResource> {
    return this.writes.single({ idempotent, body, reply }, async (personas, headers) =>
      presentEdited(headers, await personas.patch(id, toPatch(body), versions, writer)),
    )
  }

  @Delete(':id')
  @Requires('personas:write')
  @UseGuards(RequireIfMatchGuard)
  @HttpCode(NO_CONTENT)
  @DescribeDeletePersona()
  deletePersona(
    @PersonaId() id: string,
    @IfMatch() versions: ExpectedVersions,
    @WrittenBy() writer: Writer,
  ): Promise<void> {
    return this.personas.remove(id, versions, writer)
  }

  @Post(':id/generations')
  @Requires('personas:write')
  @HttpCode(OK)
  @DescribeCountGenerations()
  async countGenerations(
    @PersonaId() id: string,
    @ResourceBody() body: CountGenerationsDto,
    @Idempotent() idempotent: IdempotentRequest | undefined,
    @WrittenBy() writer: Writer,
    @Reply() reply: FastifyReply,
  ): Promise<PersonaResource> {
    return this.writes.single({ idempotent, body, reply }, async (personas, headers) =>
      present(headers, await personas.countGenerations(id, body.count ?? 1, writer)),
    )
  }
}
