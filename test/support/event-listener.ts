import { once } from 'node:events'
import { Agent, type IncomingMessage, request } from 'node:http'
import { StringDecoder } from 'node:string_decoder'
import type { ChangeResource } from '../../src/personas/changes/change.resource.js'
import { until } from '../processes/until.js'

/** A block of a stream of Server-Sent Events, as it came. */
export interface EventBlock {
  readonly id: string | undefined
  readonly event: string | undefined
  /** The parsed data; undefined for a block without any. */
  readonly data: ChangeResource | undefined
  /** When it came, by performance.now(). */
  readonly at: number
}

export interface ListenOptions {
  readonly headers?: Readonly<Record<string, string>>
  readonly query?: string
}

const PATH = '/api/v1/personas/events'

/** A client of the change stream, on a connection of its own. */
export class EventListener {
  readonly blocks: EventBlock[] = []
  comments = 0
  /** How it ended; undefined while it has not. */
  ending: 'in order' | 'cut' | undefined
  #rest = ''

  private constructor(
    readonly response: IncomingMessage,
    private readonly agent: Agent,
  ) {
    const decoder = new StringDecoder('utf8')
    response.on('data', (bytes: Buffer) => this.#read(decoder.write(bytes)))
    response.on('error', () => undefined)
    response.on('close', () => (this.ending ??= response.complete ? 'in order' : 'cut'))
  }

  /** @throws Error when it cannot be connected, or the answer is another one than 200 */
  static async open(url: string, { headers = {}, query = '' }: ListenOptions = {}): Promise<EventListener> {
    const agent = new Agent({ maxSockets: 1 })
    const call = request(`${url}${PATH}${query}`, { headers, agent }).end()
    const [response] = (await once(call, 'response')) as [IncomingMessage]
    call.on('error', () => undefined)
    if (response.statusCode !== 200) {
      response.resume()
      throw new Error(`The stream was answered with ${response.statusCode}.`)
    }
    const listener = new EventListener(response, agent)
    await until('the first block', () => listener.blocks.length > 0)
    return listener
  }

  /** What it was told, but for the first block. */
  get events(): EventBlock[] {
    return this.blocks.filter(({ data }) => data !== undefined)
  }

  get changes(): ChangeResource[] {
    return this.events.filter(({ event }) => event !== 'reset').map(({ data }) => data as ChangeResource)
  }

  /** Where a client goes on that was cut off now. */
  get lastId(): string {
    return this.blocks.findLast(({ id }) => id !== undefined)?.id ?? ''
  }

  /** Waits until it was told so many events. */
  async received(count: number, timeoutMs?: number): Promise<EventBlock[]> {
    await until(`${count} events`, () => this.events.length >= count, timeoutMs)
    return this.events
  }

  /** Stops reading from the socket. */
  pause(): void {
    this.response.pause()
  }

  resume(): void {
    this.response.resume()
  }

  close(): void {
    this.response.destroy()
    this.agent.destroy()
  }

  #read(text: string): void {
    const blocks = (this.#rest + text).split('\n\n')
    this.#rest = blocks.pop() ?? ''
    for (const block of blocks) this.#take(block)
  }

  #take(block: string): void {
    if (block.startsWith(':')) {
      this.comments += 1
      return
    }
    // Only CR and LF end a line here; to a regular expression U+2028 does, too.
    const lines = block.split('\n')
    const field = (name: string) => lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2)
    const data = field('data')
    const parsed = data === undefined ? undefined : (JSON.parse(data) as ChangeResource)
    this.blocks.push({ id: field('id'), event: field('event'), data: parsed, at: performance.now() })
  }
}
