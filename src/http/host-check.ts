import { BadRequestException } from '@nestjs/common'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { HostNotAllowedError } from '../access/access.errors.js'
import { type AccessSettings, isLoopback } from '../config/settings.js'

type AllowedHosts = AccessSettings['allowedHosts']

/**
 * Refuses what is meant for another host. A page in a browser can give this machine a name of its own (DNS rebinding), and
 * then reads whatever the machine may: that name gives it away.
 */
export function addHostCheck(fastify: FastifyInstance, allowed: AllowedHosts): void {
  fastify.addHook('onRequest', (request, _reply, done) => done(hostFault(request, allowed)))
}

function hostFault({ raw, headers, routeOptions }: FastifyRequest, allowed: AllowedHosts): Error | undefined {
  const { host } = headers
  if (host === undefined) {
    // RFC 9112, section 3.2. HTTP/1.0 has no such header, and no browser speaks it.
    return raw.httpVersion === '1.1' ? new BadRequestException('The request has no Host header.') : undefined
  }
  if (countHosts(raw.rawHeaders) > 1) return new BadRequestException('The request has more than one Host header.')
  // An orchestrator asks for an address.
  if (routeOptions.config?.access === 'probe' || isAllowed(host, allowed)) return undefined
  return new HostNotAllowedError()
}

// Node takes the first, and a proxy before it may have looked at another.
function countHosts(rawHeaders: readonly string[]): number {
  return rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === 'host').length
}

function isAllowed(host: string, allowed: AllowedHosts): boolean {
  if (allowed === 'any') return true
  const name = host.toLowerCase().replace(/:\d*$/, '').replace(/\.$/, '')
  return allowed === 'loopback' ? isLoopback(name.replace(/^\[|\]$/g, '')) : allowed.includes(name)
}
