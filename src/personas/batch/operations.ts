import type { AnswerHeaders } from '../../http/answer-headers.js'
import { type ReadResource, readResource } from '../../http/read-resource.js'
import { isJsonObject } from '../../validation/rule.js'
import { CreatePersonaDto, PatchPersonaDto } from '../dto/persona.dto.js'
import { versionsOf } from '../if-match.decorator.js'
import { NEW_PERSONA_BODY, PERSONA_BODY } from '../persona.bodies.js'
import { BlindWriteError, PersonaNotFoundError } from '../persona.errors.js'
import { canonicalId } from '../persona-id.js'
import { toNewPersona, toPatch } from '../persona.mapper.js'
import { presentCreated, presentEdited } from '../persona.presenter.js'
import type { ExpectedVersions, PersonaService } from '../persona.service.js'
import { CreateOperationDto, DeleteOperationDto, UpdateOperationDto } from './batch.dto.js'
import type { PersonaResource } from '../dto/persona.resource.js'
import type { BatchContext, Operation } from './run-batch.js'

type Document = Readonly<Record<string, unknown>>

/** What is wrong with a part of an operation. */
export type Findings = Pick<ReadResource<object>, 'faults' | 'unknown'>

export interface ReadOperation {
  /** Of the operation itself. */
  readonly envelope: Findings
  /** Of its body, as far as it has one. */
  readonly body: Findings
  /** Carries it out; only for one without faults. */
  readonly run: Operation
}

type OperationWork = (
  personas: PersonaService,
  context: BatchContext,
  headers: AnswerHeaders,
) => Promise<PersonaResource>

const CREATED = 201
const OK = 200
const NO_CONTENT = 204
const NOTHING: Findings = { faults: [], unknown: [] }

const readers: Readonly<Record<string, (document: Document) => ReadOperation>> = {
  create: (document) => {
    const envelope = readResource(withoutBody(document), CreateOperationDto, {})
    const body = readResource(document['body'], CreatePersonaDto, NEW_PERSONA_BODY)
    const work: OperationWork = async (personas, { writer }, headers) =>
      presentCreated(headers, await personas.create(toNewPersona(body.dto), writer))
    return { envelope, body, run: answering(CREATED, work) }
  },

  update: (document) => {
    const envelope = readResource(withoutBody(document), UpdateOperationDto, {})
    const body = readResource(document['body'], PatchPersonaDto, PERSONA_BODY)
    const { id, if_match: ifMatch } = envelope.dto
    const work: OperationWork = async (personas, context, headers) =>
      presentEdited(
        headers,
        await personas.patch(idOf(id), toPatch(body.dto), versionsNamed(ifMatch, context), context.writer),
      )
    return { envelope, body, run: answering(OK, work) }
  },

  delete: (document) => {
    const envelope = readResource(document, DeleteOperationDto, {})
    const { id, if_match: ifMatch } = envelope.dto
    const run: Operation = async (personas, context) => {
      await personas.remove(idOf(id), versionsNamed(ifMatch, context), context.writer)
      return { status: NO_CONTENT }
    }
    return { envelope, body: NOTHING, run }
  },
}

const UNKNOWN_OPERATION: ReadOperation = {
  envelope: { faults: [{ pointer: '/op', detail: `must be one of ${Object.keys(readers).join(', ')}` }], unknown: [] },
  body: NOTHING,
  run: () => Promise.reject(new Error('The operation is not known.')),
}

/** Reads an operation of a batch: each like the request of its own that it stands for. */
export function readOperation(document: unknown): ReadOperation {
  if (!isJsonObject(document)) {
    return {
      ...UNKNOWN_OPERATION,
      envelope: { faults: [{ pointer: '', detail: 'must be a JSON object' }], unknown: [] },
    }
  }
  const { op } = document
  const read = typeof op === 'string' && Object.hasOwn(readers, op) ? readers[op] : undefined
  return read ? read(document) : UNKNOWN_OPERATION
}

/** The body is looked at by itself; here it only matters whether there is one. */
function withoutBody(document: Document): Document {
  return document['body'] === undefined ? document : { ...document, body: true }
}

/** @throws PersonaNotFoundError for what is no UUID: there can be no such persona */
function idOf(id: string): string {
  const canonical = canonicalId(id)
  if (canonical === null) throw new PersonaNotFoundError(id)
  return canonical
}

/** @throws BlindWriteError where the server asks for it and it is not given */
function versionsNamed(ifMatch: string | null | undefined, { requiresIfMatch }: BatchContext): ExpectedVersions {
  if (requiresIfMatch && typeof ifMatch !== 'string') throw new BlindWriteError()
  return versionsOf(ifMatch ?? undefined)
}

function answering(status: number, work: OperationWork): Operation {
  return async (personas, context) => {
    const headers = new Map<string, string>()
    const body = await work(personas, context, { header: (name, value) => headers.set(name, value) })
    const [location, etag, base] = ['location', 'etag', 'x-merged-base'].map((name) => headers.get(name))
    return {
      status,
      ...(location !== undefined && { location }),
      ...(etag !== undefined && { etag }),
      ...(base !== undefined && { merged_base: Number(base) }),
      body,
    }
  }
}
