import {
  type ArgumentMetadata,
  createParamDecorator,
  type ExecutionContext,
  Injectable,
  type PipeTransform,
  type Type,
  UnsupportedMediaTypeException,
} from '@nestjs/common'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { structureFaults } from '../validation/json-structure.js'
import { type Fault, isJsonObject, pointerToken } from '../validation/rule.js'
import { fieldsOf, validateDto } from '../validation/validate-dto.js'
import { ValidationFailedError } from '../validation/validation-failed.error.js'
import { prefersLenientHandling } from './prefer.js'

const MERGE_PATCH = 'application/merge-patch+json'
/** What proxies and clients take as one header; more names than fit are refused even with lenient handling. */
const MAX_IGNORED_FIELDS_LENGTH = 4_096

export interface ResourceBodyOptions {
  /** Accepted, without any effect. */
  readonly readOnlyFields?: readonly string[]
  /** The faults of fields that do not go together, as far as the body shows them. */
  readonly combined?: (dto: object, isFaulty: (field: string) => boolean) => readonly Fault[]
}

interface IncomingBody {
  readonly document: unknown
  readonly options: ResourceBodyOptions
  readonly isLenient: boolean
  readonly reply: FastifyReply
}

const incomingBody = createParamDecorator((options: ResourceBodyOptions, context: ExecutionContext): IncomingBody => {
  const request = context.switchToHttp().getRequest<FastifyRequest>()
  if (request.method !== 'PATCH' && request.mediaType === MERGE_PATCH) {
    throw new UnsupportedMediaTypeException(`Unsupported Media Type: ${MERGE_PATCH} is for PATCH`)
  }
  return {
    document: request.body === undefined ? {} : request.body,
    options,
    isLenient: prefersLenientHandling(request.headers.prefer),
    reply: context.switchToHttp().getResponse<FastifyReply>(),
  }
})

/**
 * Validates a body against the DTO class that the parameter is declared with, and tells all faults at once. An unknown
 * field is a fault, because acknowledging it would promise that it was kept; with `Prefer: handling=lenient` it is
 * ignored instead and named in `X-Ignored-Fields`. Read-only fields are ignored without a word.
 */
@Injectable()
class ResourceBodyPipe implements PipeTransform<IncomingBody, object> {
  transform(body: IncomingBody, { metatype }: ArgumentMetadata): object {
    if (!isJsonObject(body.document))
      throw new ValidationFailedError([{ pointer: '', detail: 'must be a JSON object' }])
    const dtoClass = metatype as Type<object>
    const unknown = unknownFields(body.document, dtoClass, body.options.readOnlyFields ?? [])
    const structural = structureFaults(body.document)
    // A field whose text cannot be stored is not worth a second fault about its length.
    const unstorable = fieldsWith(structural)
    const { dto, faults } = validateDto(dtoClass, without(unstorable, body.document))
    const refused = body.isLenient && canBeAnnounced(unknown) ? [] : unknown.map(unknownFault)
    const single = [...structural, ...faults.filter((found) => !unstorable.has(fieldOf(found)))]
    const faulty = fieldsWith(single)
    const all = [...single, ...(body.options.combined?.(dto, (field) => faulty.has(field)) ?? []), ...refused]
    if (all.length > 0) throw new ValidationFailedError(all)
    if (body.isLenient) announceIgnored(body.reply, unknown)
    return dto
  }
}

/** A parameter that takes the request's body. */
export const ResourceBody = (options: ResourceBodyOptions = {}): ParameterDecorator =>
  incomingBody(options, new ResourceBodyPipe())

function unknownFields(document: object, dtoClass: Type, readOnlyFields: readonly string[]): string[] {
  const known = fieldsOf(dtoClass)
  return Object.keys(document).filter((key) => !known.has(key) && !readOnlyFields.includes(key))
}

function unknownFault(field: string): Fault {
  return { pointer: `/${pointerToken(field)}`, detail: 'is not a field of this resource' }
}

function without(fields: ReadonlySet<string>, document: Record<string, unknown>): Record<string, unknown> {
  if (fields.size === 0) return document
  return Object.fromEntries(Object.entries(document).filter(([key]) => !fields.has(key)))
}

function fieldsWith(faults: readonly Fault[]): ReadonlySet<string> {
  return new Set(faults.map(fieldOf))
}

/** The field of the document that a fault lies in. */
function fieldOf(found: Fault): string {
  return (found.pointer.split('/')[1] ?? '').replaceAll('~1', '/').replaceAll('~0', '~')
}

function canBeAnnounced(ignored: readonly string[]): boolean {
  return ignored.every((field) => field.isWellFormed()) && ignoredFields(ignored).length <= MAX_IGNORED_FIELDS_LENGTH
}

function announceIgnored(reply: FastifyReply, ignored: readonly string[]): void {
  reply.header('preference-applied', 'handling=lenient')
  if (ignored.length > 0) reply.header('x-ignored-fields', ignoredFields(ignored))
}

function ignoredFields(ignored: readonly string[]): string {
  return ignored.map((field) => encodeURIComponent(field)).join(', ')
}
