import { UnsupportedMediaTypeException } from '@nestjs/common'
import type { FastifyInstance } from 'fastify'

/** The body is not JSON (RFC 8259), or not UTF-8. */
export class MalformedBodyError extends Error {
  override readonly name = 'MalformedBodyError'
}

const JSON_MEDIA_TYPES = ['application/json', 'application/merge-patch+json']

/**
 * Replaces Fastify's own parsers by one for JSON. An empty body is no body (browsers' clients announce JSON on DELETE),
 * invalid UTF-8 is refused instead of being repaired, and what a `__proto__` key means is left to validation.
 */
export function registerJsonBodyParser(fastify: FastifyInstance): void {
  fastify.removeAllContentTypeParsers()
  const decoder = new TextDecoder('utf-8', { fatal: true })
  fastify.addContentTypeParser(JSON_MEDIA_TYPES, { parseAs: 'buffer' }, (request, body, done) => {
    const encoding = request.headers['content-encoding'] ?? 'identity'
    if (encoding.toLowerCase() !== 'identity') {
      done(new UnsupportedMediaTypeException(`Unsupported Content-Encoding: ${encoding}`), undefined)
      return
    }
    try {
      const text = decoder.decode(body as Buffer)
      done(null, text === '' ? undefined : JSON.parse(text))
    } catch (error) {
      const why = error instanceof SyntaxError ? error.message : 'it is not valid UTF-8'
      done(new MalformedBodyError(`The body is not valid JSON: ${why}.`), undefined)
    }
  })
}
