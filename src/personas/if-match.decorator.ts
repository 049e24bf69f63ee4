import { createParamDecorator, type ExecutionContext } from '@nestjs/common'
import type { FastifyRequest } from 'fastify'
import { parseEntityTags } from '../http/entity-tags.js'
import { versionOfETag } from './persona.etag.js'
import type { ExpectedVersions } from './persona.service.js'

/**
 * The versions that `If-Match` names; undefined when a write is not conditional. The comparison is strong (RFC 9110,
 * section 13.1.1): weak tags, and tags that are not ours, match no version. `*` matches every persona that exists.
 */
export const IfMatch = createParamDecorator((_data: unknown, context: ExecutionContext): ExpectedVersions => {
  const tags = parseEntityTags(context.switchToHttp().getRequest<FastifyRequest>().headers['if-match'])
  if (tags === undefined || tags === '*') return undefined
  return tags.map(versionOfETag).filter((version) => version !== null)
})
