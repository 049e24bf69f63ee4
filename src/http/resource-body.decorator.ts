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
import { ValidationFailedError } from '../validation/validation-failed.error.js'
import { prefersLenientHandling } from './prefer.js'
import {
  announceIgnored,
  canBeAnnounced,
  readResource,
  type ResourceBodyOptions,
  unknownFault,
} from './read-resource.js'

const MERGE_PATCH = 'application/merge-patch+json'

/** A body as it came. */
export interface IncomingBody<Options = undefined> {
  readonly document: unknown
  readonly options: Options
  readonly isLenient: boolean
  readonly reply: FastifyReply
}

/** @throws UnsupportedMediaTypeException for a merge patch where there is nothing to patch */
export function incomingBodyOf<Options>(options: Options, context: ExecutionContext): IncomingBody<Options> {
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
}

const incomingBody = createParamDecorator(incomingBodyOf<ResourceBodyOptions>)

/**
 * Validates a body against the DTO class that the parameter is declared with, and tells all faults at once. An unknown
 * field is a fault, because acknowledging it would promise that it was kept; with `Prefer: handling=lenient` it is
 * ignored instead and named in `X-Ignored-Fields`. Read-only fields are ignored without a word.
 */
@Injectable()
class ResourceBodyPipe implements PipeTransform<IncomingBody<ResourceBodyOptions>, object> {
  transform(body: IncomingBody<ResourceBodyOptions>, { metatype }: ArgumentMetadata): object {
    const { dto, faults, unknown } = readResource(body.document, metatype as Type<object>, body.options)
    const refused = body.isLenient && canBeAnnounced(unknown) ? [] : unknown.map(unknownFault)
    if (faults.length + refused.length > 0) throw new ValidationFailedError([...faults, ...refused])
    if (body.isLenient) announceIgnored(body.reply, unknown)
    return dto
  }
}

/** A parameter that takes the request's body. */
export const ResourceBody = (options: ResourceBodyOptions = {}): ParameterDecorator =>
  incomingBody(options, new ResourceBodyPipe())
