import { Agent, type IncomingHttpHeaders, request } from 'node:http'
import { text } from 'node:stream/consumers'

/** A persona as these tests read it. */
export interface PersonaBody {
  readonly id: string
  readonly version: number
  readonly generation_count: number
  readonly [field: string]: unknown
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** The slot of the worker that answered; undefined when there is only one process. */
  readonly worker: number | undefined
  readonly body: PersonaBody
  readonly durationMs: number
}

export interface RequestOptions {
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly timeoutMs?: number
}

const REQUEST_TIMEOUT_MS = 20_000
const PERSONAS = '/api/v1/personas/'

/** One kept TCP connection, which stays with the worker that accepted it; requests on it wait for each other. */
export class Connection {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 })

  constructor(private readonly url: string) {}

  /** @throws Error when the connection is refused or breaks, or nothing comes within the timeout */
  request(method: string, path: string, options: RequestOptions = {}): Promise<Answer> {
    const { body, headers = {}, timeoutMs = REQUEST_TIMEOUT_MS } = options
    const payload = body === undefined ? undefined : JSON.stringify(body)
    const json = payload === undefined ? {} : { 'content-type': 'application/json' }
    const start = performance.now()
    return new Promise((resolve, reject) => {
      const call = request(
        `${this.url}${path}`,
        { method, agent: this.#agent, headers: { ...json, ...headers }, signal: AbortSignal.timeout(timeoutMs) },
        (response) => {
          const { statusCode: status = 0, headers: received } = response
          const worker = received['x-worker'] === undefined ? undefined : Number(received['x-worker'])
          text(response).then((content) => {
            const durationMs = performance.now() - start
            resolve({ status, headers: received, worker, body: parsed(content), durationMs })
          }, reject)
        },
      )
      call.on('error', reject)
      call.end(payload)
    })
  }

  create(body: unknown): Promise<Answer> {
    return this.request('POST', PERSONAS, { body })
  }

  read(id: string): Promise<Answer> {
    return this.request('GET', PERSONAS + id)
  }

  update(id: string, body: unknown, options: Omit<RequestOptions, 'body'> = {}): Promise<Answer> {
    return this.request('PUT', PERSONAS + id, { ...options, body })
  }

  close(): void {
    this.#agent.destroy()
  }
}

/** Opens connections until each worker has accepted one; the one at index 0 is slot 1's. */
export async function connectToEachWorker(url: string, workers: number): Promise<Connection[]> {
  const bySlot = new Map<number, Connection>()
  const attempts = workers * 5
  for (let attempt = 0; attempt < attempts && bySlot.size < workers; attempt++) {
    const connection = new Connection(url)
    const { worker } = await connection.request('GET', '/health/live')
    if (worker === undefined || bySlot.has(worker)) connection.close()
    else bySlot.set(worker, connection)
  }
  if (bySlot.size < workers)
    throw new Error(`Only the workers ${[...bySlot.keys()].join(', ')} of ${workers} answered.`)
  return [...bySlot].sort(([a], [b]) => a - b).map(([, connection]) => connection)
}

function parsed(content: string): PersonaBody {
  return (content === '' ? {} : JSON.parse(content)) as PersonaBody
}
