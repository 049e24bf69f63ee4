import { Agent, request } from 'node:http'
import { text } from 'node:stream/consumers'

/** A persona as it comes over HTTP. */
export type PersonaJson = Readonly<Record<string, unknown>>

export interface DemoAnswer {
  readonly status: number
  readonly etag: string
  readonly worker: number
  readonly body: PersonaJson
}

/** What the demo needs of a connection to one worker. */
export interface DemoConnection {
  readonly worker: number
  send(method: string, path: string, body?: unknown): Promise<DemoAnswer>
  close(): void
}

const TIMEOUT_MS = 10_000
const ATTEMPTS_PER_WORKER = 10

/**
 * Opens one connection to each worker; a connection stays with the worker that accepted it.
 * @throws Error when a worker never accepts one
 */
export async function connectToWorkers(url: string, workers: number): Promise<DemoConnection[]> {
  const connections = new Map<number, DemoConnection>()
  for (let attempt = 0; attempt < workers * ATTEMPTS_PER_WORKER && connections.size < workers; attempt++) {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const { worker } = await send(agent, url, 'GET', '/health/live')
    if (connections.has(worker)) agent.destroy()
    else connections.set(worker, connection(agent, url, worker))
  }
  if (connections.size < workers) throw new Error(`Only ${connections.size} of ${workers} workers answered.`)
  return [...connections.values()].sort((a, b) => a.worker - b.worker)
}

function connection(agent: Agent, url: string, worker: number): DemoConnection {
  return {
    worker,
    send: (method, path, body) => send(agent, url, method, path, body),
    close: () => agent.destroy(),
  }
}

function send(agent: Agent, url: string, method: string, path: string, body?: unknown): Promise<DemoAnswer> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(TIMEOUT_MS)
    const headers = body === undefined ? {} : { 'content-type': 'application/json' }
    const call = request(`${url}${path}`, { method, agent, headers, signal }, (response) => {
      const { statusCode: status = 0, headers: received } = response
      text(response).then((content) => {
        const answer = { status, etag: received.etag ?? '', worker: Number(received['x-worker']) }
        resolve({ ...answer, body: JSON.parse(content) as PersonaJson })
      }, reject)
    })
    call.on('error', reject)
    call.end(body === undefined ? undefined : JSON.stringify(body))
  })
}
