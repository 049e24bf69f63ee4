import { FastifyAdapter } from '@nestjs/platform-fastify'
import { CrossOriginError } from '../access/access.errors.js'

type SecurityHook = Parameters<FastifyAdapter['registerSecurityHook']>[0]

/** Nest's Fastify, whose refusals of other origins' pages are counted and logged like those of everybody else. */
export class HttpAdapter extends FastifyAdapter {
  override registerSecurityHook(hook: SecurityHook): void {
    super.registerSecurityHook((request, response) => {
      const refusal = hook(request, response)
      return refusal && new CrossOriginError(refusal.message)
    })
  }
}
