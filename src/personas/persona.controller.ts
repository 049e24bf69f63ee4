import { Controller, Delete, Get, HttpCode, Param, Patch, Post, Put, Query, Req, Res } from '@nestjs/common'
import { ApiTags } from '@nestjs/swagger'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { QueryPipe } from '../http/query.pipe.js'
import { ResourceBody } from '../http/resource-body.decorator.js'
import { ListPersonasQuery } from './dto/list-personas.query.js'
import { CountGenerationsDto, CreatePersonaDto, PatchPersonaDto, UpdatePersonaDto } from './dto/persona.dto.js'
import type { PersonaResource } from './dto/persona.resource.js'
import { IfMatch } from './if-match.decorator.js'
import { PersonaIdPipe } from './persona-id.pipe.js'
import {
  DescribeCountGenerations,
  DescribeCreatePersona,
  DescribeDeletePersona,
  DescribeGetPersona,
  DescribeListPersonas,
  DescribePatchPersona,
  DescribeUpdatePersona,
} from './persona.openapi.js'
import { ratingFaultsOf, READ_ONLY_FIELDS, toChanges, toNewPersona, toPatch } from './persona.mapper.js'
import { PERSONA_DEFAULTS } from './persona.js'
import { present, presentCreated, presentPage, presentRead } from './persona.presenter.js'
import { type ExpectedVersions, PersonaService } from './persona.service.js'

const NO_CONTENT = 204
const OK = 200
const NewPersonaBody = () =>
  ResourceBody({ readOnlyFields: READ_ONLY_FIELDS, combined: ratingFaultsOf(PERSONA_DEFAULTS) })
const PersonaBody = () => ResourceBody({ readOnlyFields: READ_ONLY_FIELDS, combined: ratingFaultsOf({}) })
const PersonaId = () => Param('id', PersonaIdPipe)
const Reply = () => Res({ passthrough: true })

@ApiTags('personas')
@Controller('api/v1/personas')
export class PersonaController {
  constructor(private readonly personas: PersonaService) {}

  @Post()
  @DescribeCreatePersona()
  async createPersona(
    @NewPersonaBody() body: CreatePersonaDto,
    @Reply() reply: FastifyReply,
  ): Promise<PersonaResource> {
    return presentCreated(reply, await this.personas.create(toNewPersona(body)))
  }

  @Get()
  @DescribeListPersonas()
  async listPersonas(
    @Query(QueryPipe) query: ListPersonasQuery,
    @Reply() reply: FastifyReply,
  ): Promise<PersonaResource[]> {
    const { skip, limit, active_only: activeOnly } = query
    return presentPage(reply, query, await this.personas.list({ skip, limit, activeOnly }))
  }

  @Get(':id')
  @DescribeGetPersona()
  async getPersona(
    @PersonaId() id: string,
    @Req() request: FastifyRequest,
    @Reply() reply: FastifyReply,
  ): Promise<PersonaResource | undefined> {
    return presentRead(request, reply, await this.personas.get(id))
  }

  @Put(':id')
  @DescribeUpdatePersona()
  async updatePersona(
    @PersonaId() id: string,
    @PersonaBody() body: UpdatePersonaDto,
    @IfMatch() versions: ExpectedVersions,
    @Reply() reply: FastifyReply,
  ): Promise<PersonaResource> {
    return present(reply, await this.personas.update(id, toChanges(body), versions))
  }

  @Patch(':id')
  @DescribePatchPersona()
  async patchPersona(
    @PersonaId() id: string,
    @PersonaBody() body: PatchPersonaDto,
    @IfMatch() versions: ExpectedVersions,
    @Reply() reply: FastifyReply,
  ): Promise<PersonaResource> {
    return present(reply, await this.personas.patch(id, toPatch(body), versions))
  }

  @Delete(':id')
  @HttpCode(NO_CONTENT)
  @DescribeDeletePersona()
  deletePersona(@PersonaId() id: string, @IfMatch() versions: ExpectedVersions): Promise<void> {
    return this.personas.remove(id, versions)
  }

  @Post(':id/generations')
  @HttpCode(OK)
  @DescribeCountGenerations()
  async countGenerations(
    @PersonaId() id: string,
    @ResourceBody() body: CountGenerationsDto,
    @Reply() reply: FastifyReply,
  ): Promise<PersonaResource> {
    return present(reply, await this.personas.countGenerations(id, body.count ?? 1))
  }
}
