import { Inject, Injectable } from '@nestjs/common'
import type { FastifyReply } from 'fastify'
import { SETTINGS } from '../config/config.module.js'
import type { Settings } from '../config/settings.js'
import { Database, type DatabaseAccess } from '../database/database.js'
import type { AnswerHeaders } from '../http/answer-headers.js'
import { fingerprintOf } from './idempotency-key.js'
import { IdempotencyKeyInUseError, IdempotencyKeyReusedError } from './idempotency.errors.js'
import { type Claim, type Claimed, IdempotencyStore, type StoredAnswer } from './idempotency.store.js'
import type { IdempotentRequest } from './idempotent.decorator.js'

export const REPLAYED_HEADER = 'idempotency-replayed'

/** What a request does and is answered with; it may be run again, in another transaction, when that one is rolled back. */
export type IdempotentWork<Answer extends object> = (inside: DatabaseAccess, headers: AnswerHeaders) => Promise<Answer>

interface Outcome {
  readonly answer: StoredAnswer
  readonly isReplay: boolean
}

/**
 * Carries a request with an `Idempotency-Key` out once, however often it is sent. The key with its answer is written in
 * the transaction of the effect: whatever ends a process, both are there or neither. What fails is not kept, so that a
 * retry can succeed.
 */
@Injectable()
export class Idempotency {
  readonly #store: IdempotencyStore
  /** Keys of requests that this process is at. Those of other processes are met in the database. */
  readonly #inFlight = new Set<string>()

  constructor(
    @Inject(Database) private readonly database: Database,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {
    this.#store = new IdempotencyStore(database)
  }

  /**
   * Answers with what `work` answers, or with what it has answered before.
   * @param body what was asked for, validated
   * @throws IdempotencyKeyReusedError, IdempotencyKeyInUseError, and whatever `work` throws
   */
  async answer<Answer extends object>(
    { key, identity }: IdempotentRequest,
    body: object,
    reply: FastifyReply,
    work: IdempotentWork<Answer>,
  ): Promise<Answer> {
    const keptSince = new Date(Date.now() - this.settings.idempotency.keepMs)
    const claim = { key, fingerprint: fingerprintOf(...identity, body), keptSince }
    // Without the write lock: a retry of what is done already need not wait for it.
    const found = await this.#store.find(claim)
    const outcome = found ? replayOf(found, claim) : await this.#onlyOneHere(claim, reply.statusCode, work)
    // A replay is the answer to the same call: its path and its method are part of the fingerprint.
    return present(reply, outcome) as Answer
  }

  async #onlyOneHere(claim: Claim, status: number, work: IdempotentWork<object>): Promise<Outcome> {
    const { key } = claim
    // Clients that lose their patience would else fill the queue with retries of what is in it already.
    if (this.#inFlight.has(key)) throw new IdempotencyKeyInUseError()
    this.#inFlight.add(key)
    try {
      return await this.database.unitOfWork((inside) => once(inside, claim, status, work))
    } finally {
      this.#inFlight.delete(key)
    }
  }
}

async function once(
  inside: DatabaseAccess,
  claim: Claim,
  status: number,
  work: IdempotentWork<object>,
): Promise<Outcome> {
  const store = new IdempotencyStore(inside)
  const claimed = await store.claim(claim)
  if (claimed) return replayOf(claimed, claim)
  const headers: Record<string, string> = {}
  const body = await work(inside, { header: (name, value) => (headers[name] = value) })
  const answer = { status, headers, body: JSON.stringify(body) }
  await store.complete(claim.key, answer)
  return { answer, isReplay: false }
}

function replayOf({ fingerprint, answer }: Claimed, claim: Claim): Outcome {
  if (fingerprint !== claim.fingerprint) throw new IdempotencyKeyReusedError()
  return { answer, isReplay: true }
}

function present(reply: FastifyReply, { answer, isReplay }: Outcome): object {
  void reply.code(answer.status).headers(answer.headers)
  if (isReplay) void reply.header(REPLAYED_HEADER, 'true')
  return JSON.parse(answer.body) as object
}
