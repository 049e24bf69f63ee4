import { Inject, Injectable } from '@nestjs/common'
import type { FastifyReply } from 'fastify'
import { Database, type DatabaseAccess } from '../database/database.js'
import type { AnswerHeaders } from '../http/answer-headers.js'
import { Idempotency } from '../idempotency/idempotency.service.js'
import type { IdempotentRequest } from '../idempotency/idempotent.decorator.js'
import { PersonaService } from './persona.service.js'
import { PrismaPersonaRepository } from './prisma-persona.repository.js'

/** A write as it was asked for, and where it is answered. */
export interface RequestedWrite {
  readonly idempotent: IdempotentRequest | undefined
  /** Validated. */
  readonly body: object
  readonly reply: FastifyReply
}

/** What a write does, and what it is answered with; see IdempotentWork. */
export type PersonaWork<Answer extends object> = (personas: PersonaService, headers: AnswerHeaders) => Promise<Answer>

/** Has writes carried out: those with an `Idempotency-Key` once, in one transaction with their answer. */
@Injectable()
export class PersonaWrites {
  constructor(
    private readonly personas: PersonaService,
    private readonly idempotency: Idempotency,
    @Inject(Database) private readonly database: Database,
  ) {}

  /** One write; without a key it costs no more than its statement, and shares a commit with others. */
  single<Answer extends object>(request: RequestedWrite, work: PersonaWork<Answer>): Promise<Answer> {
    const { idempotent, reply } = request
    return idempotent ? this.#once(idempotent, request, work) : work(this.personas, reply)
  }

  /** Several writes that are committed together. */
  together<Answer extends object>(request: RequestedWrite, work: PersonaWork<Answer>): Promise<Answer> {
    const { idempotent, reply } = request
    if (idempotent) return this.#once(idempotent, request, work)
    return this.database.unitOfWork((inside) => work(personasWithin(inside), reply))
  }

  #once<Answer extends object>(
    idempotent: IdempotentRequest,
    { body, reply }: RequestedWrite,
    work: PersonaWork<Answer>,
  ): Promise<Answer> {
    return this.idempotency.answer(idempotent, body, reply, (inside, headers) => work(personasWithin(inside), headers))
  }
}

function personasWithin(inside: DatabaseAccess): PersonaService {
  return new PersonaService(new PrismaPersonaRepository(inside))
}
