import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common'
import type { FastifyRequest } from 'fastify'
import { SETTINGS } from '../config/config.module.js'
import type { Settings } from '../config/settings.js'
import { BlindWriteError } from './persona.errors.js'

/**
 * Refuses a write that does not say what it was made from, where REQUIRE_IF_MATCH asks for that (RFC 6585, section 3).
 * @throws BlindWriteError
 */
@Injectable()
export class RequireIfMatchGuard implements CanActivate {
  constructor(@Inject(SETTINGS) private readonly settings: Settings) {}

  canActivate(context: ExecutionContext): boolean {
    const { headers } = context.switchToHttp().getRequest<FastifyRequest>()
    if (this.settings.server.requiresIfMatch && headers['if-match'] === undefined) throw new BlindWriteError()
    return true
  }
}
