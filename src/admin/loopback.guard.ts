import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common'
import type { FastifyRequest } from 'fastify'
import { keyOf } from '../access/callers.js'
import { isLoopback } from '../config/settings.js'
import { LoopbackOnlyError } from './admin-errors.js'

// What proxies add; nginx adds nothing by itself, but speaks HTTP/1.0.
const FORWARDED = /^(?:forwarded|via|x-forwarded-.*|x-real-.*|x-client-ip|true-client-ip|cf-.*)$/

/**
 * Lets those pass who have shown a key, which says more than an address, and while there are no keys those who ask from this
 * machine. A proxy on it asks for others, and says so; a page in a browser on it asks
 * for whoever made the page, and names where it comes from, or the name that it has given to this machine.
 */
@Injectable()
export class LoopbackGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<FastifyRequest>()
    if (keyOf(request)) return true
    const { raw, headers, hostname } = request
    const address = (raw.socket.remoteAddress ?? '').replace(/^::ffff:/, '')
    if (!isLoopback(address)) throw new LoopbackOnlyError('the request comes from elsewhere')
    const isForwarded = raw.httpVersion === '1.0' || Object.keys(headers).some((name) => FORWARDED.test(name))
    if (isForwarded) throw new LoopbackOnlyError('a proxy has forwarded it')
    if (!isLoopback(hostname.replace(/^\[|\]$/g, ''))) throw new LoopbackOnlyError('it is meant for another host')
    if (headers.origin !== undefined) throw new LoopbackOnlyError('a page in a browser has made it')
    return true
  }
}
