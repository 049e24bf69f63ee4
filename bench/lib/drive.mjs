import { connect } from 'node:net'

const NOT_MODIFIED = 304
const HEAD_END = '\r\n\r\n'
/** Where the status stands in `HTTP/1.1 200 OK`. */
const [STATUS_START, STATUS_END] = [9, 12]

/**
 * @typedef {{ text: string }} Request the whole of it, as it goes over the connection
 *
 * @typedef {object} Answer
 * @property {number} status
 * @property {string} head the status line and the headers
 * @property {Buffer} body
 */

/**
 * Sends requests over so many connections, each the next one as soon as it has its answer, until there are no more.
 *
 * A client of its own, because the load must cost less than what it measures: a request costs 13 µs here and 21 µs with
 * autocannon, where the constant route costs 30; and autocannon tells whole milliseconds, of which a hot read is one.
 * @template {Request} R
 * @param {object} load
 * @param {number} load.port of a server on this machine that gives each answer its Content-Length
 * @param {number} load.connections
 * @param {() => R | undefined} load.next undefined: no more on this connection
 * @param {(request: R, answer: Answer, ms: number) => void} load.onAnswer
 * @returns {Promise<void>} when all answers are there; it rejects when a connection ends before that
 */
export async function drive({ connections, ...load }) {
  const sockets = []
  try {
    await Promise.all(Array.from({ length: connections }, () => driveOne(load, (socket) => sockets.push(socket))))
  } finally {
    for (const socket of sockets) socket.destroy()
  }
}

function driveOne({ port, next, onAnswer }, onSocket) {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    onSocket(socket)
    let request
    let sentAt = 0
    let received
    const send = () => {
      request = next()
      if (request === undefined) return resolve()
      sentAt = performance.now()
      socket.write(request.text, 'latin1')
    }
    socket.on('connect', send)
    socket.on('error', reject)
    socket.on('close', () => reject(new Error('the server closed a connection')))
    socket.on('data', (chunk) => {
      received = received ? Buffer.concat([received, chunk]) : chunk
      try {
        const answer = readAnswer(received)
        if (!answer) return
        received = undefined
        onAnswer(request, answer, performance.now() - sentAt)
        send()
      } catch (error) {
        reject(error)
      }
    })
  })
}

/**
 * The one answer that the bytes are, or undefined while they are a part of it.
 * @param {Buffer} received
 * @returns {Answer | undefined}
 */
export function readAnswer(received) {
  const headEnd = received.indexOf(HEAD_END)
  if (headEnd < 0) return undefined
  const head = received.toString('latin1', 0, headEnd)
  const status = Number(head.slice(STATUS_START, STATUS_END))
  const length = status === NOT_MODIFIED ? 0 : Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1])
  const bodyStart = headEnd + HEAD_END.length
  if (Number.isNaN(length)) throw new Error(`an answer does not say how long it is: ${head}`)
  if (received.length < bodyStart + length) return undefined
  if (received.length > bodyStart + length) throw new Error(`an answer is longer than it says: ${head}`)
  return { status, head, body: received.subarray(bodyStart) }
}
