import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'

const PERSONAS = '/api/v1/personas'
/** How the event of a write is known: by the id of its request. */
const WRITE_ID = /"request_id":"write-(\d+)"/

/** Listens to the change stream; `onWrite` is called with the number of the write that each event is about. */
export async function listen(url, onWrite) {
  const call = request(`${url}${PERSONAS}/events`, { agent: new Agent({ maxSockets: 1 }) }).end()
  const [response] = await once(call, 'response')
  if (response.statusCode !== 200) throw new Error(`the stream was answered with ${response.statusCode}`)
  let rest = ''
  response.setEncoding('utf8')
  response.on('data', (text) => {
    const blocks = (rest + text).split('\n\n')
    rest = blocks.pop()
    for (const block of blocks) {
      const [, id] = WRITE_ID.exec(block) ?? []
      if (id !== undefined) onWrite(Number(id))
    }
  })
  call.on('error', () => undefined)
  return { worker: response.headers['x-worker'], close: () => response.destroy() }
}

/**
 * Sends so many updates a second, evenly, whatever becomes of those before; answers when each began and was acknowledged.
 * @param ids of the personas that are updated, in turns
 */
export async function writeEvenly(url, ids, perSecond, seconds) {
  const agent = new Agent({ keepAlive: true, maxSockets: 32 })
  const count = perSecond * seconds
  const begun = new Float64Array(count).fill(NaN)
  const acknowledged = new Float64Array(count).fill(NaN)
  const underWay = []
  const start = performance.now()
  for (let n = 0; n < count; n++) {
    const wait = start + (n * 1_000) / perSecond - performance.now()
    if (wait > 0) await delay(wait)
    begun[n] = performance.now()
    underWay.push(put(url, ids[n % ids.length], n, agent).then(() => (acknowledged[n] = performance.now())))
  }
  await Promise.all(underWay)
  const tookMs = performance.now() - start
  agent.destroy()
  return { begun, acknowledged, perSecond: (count * 1_000) / tookMs }
}

async function put(url, id, n, agent) {
  const headers = { 'content-type': 'application/json', 'x-request-id': `write-${n}` }
  const call = request(`${url}${PERSONAS}/${id}`, { method: 'PUT', agent, headers })
  call.end(JSON.stringify({ base_image_path: `images/${n}.png` }))
  const [response] = await once(call, 'response')
  const answer = await text(response)
  if (response.statusCode !== 200) throw new Error(`a write was answered with ${response.statusCode}: ${answer}`)
}
