import { applyDecorators } from '@nestjs/common'
import { ApiHeader, ApiResponse, type ApiResponseOptions } from '@nestjs/swagger'
import { PatchOperationResource } from './json-patch.resource.js'
import { ProblemResource } from './problem.resource.js'
import type { Problem } from './problem.js'

type Headers = NonNullable<ApiResponseOptions['headers']>

const text = (description: string, example: string) => ({ description, schema: { type: 'string', example } })

/** The headers of an answer, by name. */
export const RESPONSE_HEADERS = {
  ETag: text('Strong tag of the representation: version and generation count.', '"3.2"'),
  Location: text('Path of the new resource.', '/api/v1/personas/019aaf3e-8f63-7b12-9d3c-2f1f5d0c8a11'),
  'X-Total-Count': { description: 'How many items the whole list has.', schema: { type: 'integer', example: 42 } },
  'X-Total-Count-Relation': text(
    'With `total=true`: `exact`, or `at-least` for a list that has `X-Total-Count` items and perhaps more.',
    'exact',
  ),
  Link: text(
    'first, prev and next page (RFC 8288).',
    '</api/v1/personas/?skip=10&limit=10&active_only=true>; rel="next"',
  ),
  'X-Ignored-Fields': text('Unknown fields that were ignored, with `Prefer: handling=lenient`.', 'nickname'),
  'Preference-Applied': text('Which preference was followed (RFC 7240).', 'handling=lenient'),
  'Idempotency-Replayed': text('`true` on the answer to a repeated request, which was given before.', 'true'),
  'X-Merged-Base': {
    description: 'The version that a stale edit was made from, when it was merged.',
    schema: { type: 'integer', example: 2 },
  },
  'X-Request-Id': text("The client's own request id, or a new one.", '9b2d6f0e-1f53-4a66-8f8b-3e0f8a1f2c77'),
  'X-Worker': {
    description: 'Slot of the worker that answered, when there are several.',
    schema: { type: 'integer', example: 1 },
  },
  'X-Accel-Buffering': text('`no`: a proxy passes each event on at once.', 'no'),
  'WWW-Authenticate': text(
    'How to show an API key, or what is wrong with it (RFC 6750).',
    'Bearer realm="gator-personas"',
  ),
  'RateLimit-Policy': text(
    'How many requests (`q`) in how many seconds (`w`), when there is a limit.',
    '"minute";q=600;w=60',
  ),
  RateLimit: text('How many of them are left (`r`), and for how many seconds (`t`).', '"minute";r=599;t=60'),
  'Retry-After': { description: 'Seconds to wait before trying again.', schema: { type: 'integer', example: 1 } },
  Allow: text('The methods of this path.', 'GET, HEAD, POST, OPTIONS'),
} as const

export type ResponseHeaderName = keyof typeof RESPONSE_HEADERS

/** The named headers, and those that every answer carries. */
export function responseHeaders(...names: ResponseHeaderName[]): Headers {
  return probeHeaders(...names, 'RateLimit-Policy', 'RateLimit')
}

/** The same for what is not counted. */
export function probeHeaders(...names: ResponseHeaderName[]): Headers {
  const all: ResponseHeaderName[] = [...names, 'X-Request-Id', 'X-Worker']
  return Object.fromEntries(all.map((name) => [name, RESPONSE_HEADERS[name]]))
}

/** Documents an error answer with an example of its problem document. */
export function ApiProblem(example: Problem, ...headers: ResponseHeaderName[]): MethodDecorator {
  return ApiResponse({
    status: example.status,
    description: example.title,
    headers: responseHeaders(...headers),
    content: {
      'application/problem+json': { schema: { $ref: '#/components/schemas/ProblemResource' }, example },
    },
  })
}

export const ApiIfMatch = () =>
  ApiHeader({
    name: 'If-Match',
    required: false,
    description:
      'What the change was made from; `*` for any version. With an older version it is merged if none of its fields ' +
      'was changed since, and refused with 412 otherwise.',
    schema: { type: 'string', example: '"3.2"' },
  })

export const ApiIfNoneMatch = () =>
  ApiHeader({
    name: 'If-None-Match',
    required: false,
    description: 'Answer 304 if this is the current representation.',
    schema: { type: 'string', example: '"3.2"' },
  })

export const ApiActor = () =>
  ApiHeader({
    name: 'X-Actor',
    required: false,
    description:
      'Who makes the change, for the history: up to 128 characters of ASCII, taken as they are, not verified.',
    schema: { type: 'string', example: 'studio@example.org' },
  })

export const ApiPrefer = () =>
  ApiHeader({
    name: 'Prefer',
    required: false,
    description: '`handling=lenient` ignores unknown fields (RFC 7240) instead of refusing them.',
    schema: { type: 'string', example: 'handling=lenient' },
  })

export const ApiIdempotencyKey = () =>
  applyDecorators(
    ApiHeader({
      name: 'Idempotency-Key',
      required: false,
      description:
        'A key of your choice, such as a UUID, in double quotes or bare. A retry with it is answered with what the ' +
        'first request was answered, and changes nothing; with another request it is refused with 422.',
      schema: { type: 'string', example: '"8e03978e-40d5-43dd-bc93-6894a57f9324"' },
    }),
    ApiProblem(
      ours(
        'idempotency-key-in-use',
        'Idempotency key in use',
        409,
        'The first request with this Idempotency-Key is still under way; ask again for its answer.',
      ),
      'Retry-After',
    ),
  )

const INSTANCE = '/api/v1/personas/019aaf3e-8f63-7b12-9d3c-2f1f5d0c8a11'
const ours = (type: string, title: string, status: number, detail: string): Problem => ({
  type: `urn:gator-personas:problem:${type}`,
  title,
  status,
  detail,
  instance: INSTANCE,
})

/** The error answers of every call that reads or writes the database. */
export const ApiDatabaseProblems = () =>
  applyDecorators(
    ApiProblem({
      type: 'about:blank',
      title: 'Internal Server Error',
      status: 500,
      detail: 'Something went wrong on our side.',
      instance: INSTANCE,
    }),
    ApiProblem(
      ours('database-unavailable', 'Database unavailable', 503, 'The database does not answer.'),
      'Retry-After',
    ),
  )

/** The error answers of every call whose body may be none that can be read. */
export const ApiUnreadableBody = () =>
  applyDecorators(
    ApiProblem(
      ours('malformed-body', 'Malformed body', 400, 'The body is not valid JSON: Unexpected end of JSON input.'),
    ),
    ApiProblem({
      type: 'about:blank',
      title: 'Payload Too Large',
      status: 413,
      detail: 'Request body is too large',
      instance: INSTANCE,
    }),
    ApiProblem({
      type: 'about:blank',
      title: 'Unsupported Media Type',
      status: 415,
      detail: 'Unsupported Media Type: text/plain',
      instance: INSTANCE,
    }),
  )

/** The error answer of every call that writes. */
export const ApiStorageFull = () =>
  ApiProblem(
    ours(
      'storage-full',
      'Insufficient storage',
      507,
      'The disk or the quota of the database is full; nothing was written.',
    ),
  )

/** The error answers of every call that writes what its body holds. */
export const ApiBodyProblems = () =>
  applyDecorators(
    ApiUnreadableBody(),
    ApiProblem({
      ...ours('validation-failed', 'Validation failed', 422, 'name must have 2 to 100 characters, has 1.'),
      errors: [{ pointer: '/name', detail: 'must have 2 to 100 characters, has 1' }],
    }),
    ApiStorageFull(),
  )

const BLIND = 'This server takes no change without If-Match: send the ETag of what you read, or * for any version.'

/** The error answers of an atomic batch: those of its operations, with the index of the first one at fault. */
export const ApiBatchProblems = () => {
  const refused = (type: string, title: string, status: number, detail: string): Problem => ({
    ...ours(type, title, status, `Operation 3 was refused, so none was carried out: ${detail}`),
    instance: '/api/v1/personas/batch',
    index: 3,
  })
  const stale = 'The persona has changed since the version that If-Match names; nothing was changed.'
  return applyDecorators(
    ApiUnreadableBody(),
    ApiProblem(refused('persona-not-found', 'Persona not found', 404, 'Persona x not found')),
    ApiProblem({
      ...refused('stale-version', 'Stale version', 412, stale),
      current_etag: '"3.2"',
      conflicts: [{ pointer: '/name', base: 'Sarah', current: 'Sarah Lin', requested: 'Sara' }],
    }),
    ApiProblem(refused('precondition-required', 'Precondition required', 428, BLIND)),
    ApiProblem({
      ...refused('validation-failed', 'Validation failed', 422, 'operations.3.body.name must be a string.'),
      errors: [{ pointer: '/operations/3/body/name', detail: 'must be a string' }],
    }),
    ApiStorageFull(),
  )
}

export const ApiNotFound = () =>
  ApiProblem(
    ours('persona-not-found', 'Persona not found', 404, 'Persona 019aaf3e-8f63-7b12-9d3c-2f1f5d0c8a11 not found'),
  )

/** The error answers of every call that is made from a version. */
export const ApiStale = () =>
  applyDecorators(
    ApiProblem(
      {
        ...ours(
          'stale-version',
          'Stale version',
          412,
          'The persona has changed since the version that If-Match names; nothing was changed.',
        ),
        current_etag: '"3.2"',
        conflicts: [{ pointer: '/name', base: 'Sarah', current: 'Sarah Lin', requested: 'Sara' }],
      },
      'ETag',
    ),
    ApiProblem(ours('precondition-required', 'Precondition required', 428, BLIND)),
  )

export const ApiRevisionNotFound = () =>
  ApiProblem(
    ours(
      'revision-not-found',
      'Revision not found',
      404,
      'Persona 019aaf3e-8f63-7b12-9d3c-2f1f5d0c8a11 has no revision 7, or it is not kept any more.',
    ),
  )

export const EXTRA_MODELS = [ProblemResource, PatchOperationResource]
