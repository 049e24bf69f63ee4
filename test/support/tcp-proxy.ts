import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, Socket } from 'node:net'

/**
 * A network between a client and a server on 127.0.0.1, which a test takes away and gives back. It listens on a port of
 * its own, which stays the same whatever happens behind it, as a floating address does.
 */
export class TcpProxy {
  readonly #pairs = new Set<readonly [Socket, Socket]>()
  #isSilent = false
  #isRefusing = false

  private constructor(
    private readonly server: Server,
    private target: number,
  ) {
    server.on('connection', (socket: Socket) => this.#connect(socket))
  }

  /** @param target port of the server behind */
  static async start(target: number): Promise<TcpProxy> {
    const server = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new TcpProxy(server, target)
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port
  }

  /** The URL of a database behind it. */
  urlOf(url: string): string {
    const behind = new URL(url)
    behind.port = String(this.port)
    return behind.href
  }

  /** From now on nothing arrives, in either direction, and nobody is told. */
  silence(): void {
    this.#isSilent = true
    this.forget()
  }

  /** From now on nothing arrives on the connections that there are; new ones work. */
  forget(): void {
    for (const pair of this.#pairs) for (const socket of pair) socket.pause()
  }

  /** From now on every connection is closed at once. */
  refuse(): void {
    this.#isRefusing = true
    this.drop()
  }

  /** Breaks the connections that there are. */
  drop(): void {
    for (const pair of this.#pairs) for (const socket of pair) socket.resetAndDestroy()
  }

  /** The network is back; it may lead to another server. */
  restore(target = this.target): void {
    this.target = target
    this.#isSilent = false
    this.#isRefusing = false
    for (const pair of this.#pairs) for (const socket of pair) socket.resume()
  }

  async close(): Promise<void> {
    this.server.close()
    this.drop()
    await once(this.server, 'close')
  }

  #connect(client: Socket): void {
    if (this.#isRefusing) {
      client.resetAndDestroy()
      return
    }
    const server = new Socket()
    const pair = [client, server] as const
    this.#pairs.add(pair)
    const end = () => {
      this.#pairs.delete(pair)
      for (const socket of pair) socket.destroy()
    }
    for (const socket of pair) socket.on('error', () => undefined).on('close', end)
    client.on('data', (data) => server.write(data))
    server.on('data', (data) => client.write(data))
    server.connect(this.target, '127.0.0.1')
    if (!this.#isSilent) client.resume()
    else server.pause()
  }
}
