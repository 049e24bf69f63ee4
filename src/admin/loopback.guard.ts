import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common'
import type { FastifyRequest } from 'fastify'
import { LoopbackOnlyError } from '../access/access.errors.js'
import { keyOf } from '../access/callers.js'
import { assertFromThisMachine } from '../access/this-machine.js'
import { isLoopback } from '../config/settings.js'

/**
 * Lets those pass who have shown a key, which says more than an address, and while there are no keys those who ask from this
 * machine, even where everybody else may use the rest. A page in a browser on it asks for whoever made the page, and names
 * where it comes from, or the name that it has given to this machine.
 */
@Injectable()
export class LoopbackGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<FastifyRequest>()
    if (keyOf(request)) return true
    assertFromThisMachine(request)
    const { headers, hostname } = request
    if (!isLoopback(hostname.replace(/^\[|\]$/g, ''))) throw new LoopbackOnlyError('it is meant for another host')
    if (headers.origin !== undefined) throw new LoopbackOnlyError('a page in a browser has made it')
    return true
  }
}
