import { applyDecorators } from '@nestjs/common'
import { RouteConfig } from '@nestjs/platform-fastify'
import { ApiSecurity } from '@nestjs/swagger'
import { ApiAccessProblems, SECURITY_SCHEME } from '../http/access.openapi.js'
import type { Scope } from './scopes.js'

/** Says which scope the caller of a route needs, and documents it. A route that says nothing is refused to everybody. */
export const Requires = (scope: Scope) =>
  applyDecorators(RouteConfig({ access: scope }), ApiSecurity(SECURITY_SCHEME, [scope]), ApiAccessProblems(scope))

/** Says that whoever reaches the server may call a route. */
export const Open = () => RouteConfig({ access: 'open' })

/** The same for what orchestrators ask, by whatever name and however often. */
export const Probe = () => RouteConfig({ access: 'probe' })
