import type { FastifyRequest } from 'fastify'
import { isLoopback } from '../config/settings.js'
import { LoopbackOnlyError } from './access.errors.js'
import { bareAddress } from './addresses.js'

/** What proxies add; an nginx that adds nothing speaks HTTP/1.0, as it does by default before 1.29.7. */
const FORWARDED =
  /^(?:forwarded|via|cdn-loop|x-forwarded.*|x-original-.*|x-real-.*|x-envoy-.*|(?:.+-)?client-ip|cf-.*)$/
/** Those of them that do not say whom the proxy asks for. */
const NAMES_NO_CLIENT = /^(?:via|x-forwarded-(?:host|port|prefix|proto|server))$/

/**
 * Refuses what may be asked by somebody on another machine. A proxy on this one asks for others, and most say so; one that
 * TRUST_PROXY names is believed when everybody whom it names, in whatever header, is this machine.
 * @throws LoopbackOnlyError
 */
export function assertFromThisMachine(request: FastifyRequest): void {
  const { raw, headers, ips = [] } = request
  if (!isHere(raw.socket.remoteAddress ?? '')) throw new LoopbackOnlyError('the request comes from elsewhere')
  const signs = Object.keys(headers).filter((name) => FORWARDED.test(name))
  if (raw.httpVersion !== '1.0' && signs.length === 0) return
  // The first is the connection's; there are others when it is trusted, and has named somebody.
  const isTrusted = ips.length > 1
  const named = signs.filter((name) => !NAMES_NO_CLIENT.test(name)).flatMap((name) => String(headers[name]).split(','))
  if (!isTrusted || !named.every((address) => isHere(address.trim())))
    throw new LoopbackOnlyError('a proxy has forwarded it')
}

function isHere(address: string): boolean {
  return isLoopback(bareAddress(address))
}
