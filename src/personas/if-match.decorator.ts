import { createParamDecorator, type ExecutionContext } from '@nestjs/common'
import type { FastifyRequest } from 'fastify'
import { parseEntityTags } from '../http/entity-tags.js'
import { versionOfETag } from './persona.etag.js'
import type { ExpectedVersions } from './persona.service.js'

/** The versions that `If-Match` names; undefined when a write is not conditional. */
export const IfMatch = createParamDecorator((_data: unknown, context: ExecutionContext): ExpectedVersions =>
  versionsOf(context.switchToHttp().getRequest<FastifyRequest>().headers['if-match']),
)

/**
 * The versions that an `If-Match` of this value names. The comparison is strong (RFC 9110,
 * section 13.1.1): weak tags, and tags that are not ours, match no version. `*` matches every persona that exists.
 */
export function versionsOf(ifMatch: string | string[] | undefined): ExpectedVersions {
  const tags = parseEntityTags(ifMatch)
  if (tags === undefined || tags === '*') return undefined
  return tags.map(versionOfETag).filter((version) => version !== null)
}
