import { applyDecorators } from '@nestjs/common'
import type { Scope } from '../access/scopes.js'
import { ApiProblem } from './openapi.js'

/** The name of the security scheme in the OpenAPI document. */
export const SECURITY_SCHEME = 'apiKey'

const INSTANCE = '/api/v1/personas/'
const problem = (type: string, title: string, status: number, detail: string) => ({
  ...{ type: `urn:gator-personas:problem:${type}`, title, status, detail, instance: INSTANCE },
})

/** The error answers of every call that needs a key, as soon as the service has one. */
export const ApiAccessProblems = (scope: Scope) =>
  applyDecorators(
    ApiProblem(
      problem('unauthenticated', 'Unauthenticated', 401, 'This needs an API key: Authorization: Bearer gator_…'),
      'WWW-Authenticate',
    ),
    ApiProblem(
      {
        ...problem('scope-missing', 'Scope missing', 403, `This needs a key with the scope ${scope}.`),
        missing_scope: scope,
      },
      'WWW-Authenticate',
    ),
    ApiProblem(
      problem('rate-limited', 'Rate limited', 429, 'These are more requests than RATE_LIMIT_PER_MINUTE permits.'),
      'Retry-After',
    ),
  )
