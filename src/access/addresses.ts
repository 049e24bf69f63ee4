import { BlockList, isIP, isIPv6 } from 'node:net'

/** What a host at home or in a data centre has at least to itself: 64 bits, in four groups. */
const IPV6_PREFIX_GROUPS = 4

/** An address alone: without the port that some proxies write behind it, and an IPv4 one in its own form. */
export function bareAddress(text: string): string {
  const [, ipv6, ipv4] = /^(?:\[([^\]]*)\](?::\d+)?|(\d+(?:\.\d+){3}):\d+)$/.exec(text) ?? []
  return (ipv6 ?? ipv4 ?? text).replace(/^::ffff:(?=\d+\.)/i, '')
}

/** An address as a client: one host has a whole network of IPv6 addresses to come from, and a port for each connection. */
export function networkOf(text: string): string {
  const address = bareAddress(text)
  if (!address.includes(':')) return address
  const [head = '', tail] = address.split('::')
  const groups = head.split(':').filter((group) => group !== '')
  const isWhole = tail === undefined || groups.length >= IPV6_PREFIX_GROUPS
  const zeros = isWhole ? 0 : 8 - groups.length - tail.split(':').filter((group) => group !== '').length
  const whole = [...groups, ...Array<string>(zeros).fill('0'), ...(tail ?? '').split(':')]
  return `${whole.slice(0, IPV6_PREFIX_GROUPS).join(':')}::/64`
}

/**
 * Whether an address, with a port or without, is one of these proxies. Fastify's own comparison takes an address with a
 * port for none.
 * @param proxies addresses and networks, as TRUST_PROXY has them
 */
export function trustIn(proxies: readonly string[]): (address: string | undefined) => boolean {
  const list = new BlockList()
  for (const proxy of proxies) {
    const [network = '', bits] = proxy.split('/')
    if (bits === undefined) list.addAddress(network, familyOf(network))
    else list.addSubnet(network, Number(bits), familyOf(network))
  }
  return (text = '') => {
    const address = bareAddress(text)
    return isIP(address) !== 0 && list.check(address, familyOf(address))
  }
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIPv6(address) ? 'ipv6' : 'ipv4'
}
