import { unlinkSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fingerprint } from './fingerprint.mjs'
import { ROOT } from './paths.mjs'
import { letToolsHold } from './run.mjs'

/**
 * Lets one process at a time prepare this folder: two `npm ci` in one node_modules destroy each other's work.
 *
 * The lock is a listening socket, because the system takes it away when its holder dies, however it dies. The tools
 * that run under the lock inherit the socket: if this process is killed and its npm is not, the lock stays until that
 * npm is done too. A connection to the socket says nothing and ends when its holder does, which is what the others
 * wait for.
 * @template T
 * @param {() => void} onWait called whenever it turns out that somebody else holds the lock
 * @param {() => Promise<T>} body
 * @returns {Promise<T>}
 */
export async function withLock(onWait, body) {
  const path = socketPath()
  let server = await listen(path)
  while (!server) {
    if (!(await heldByOther(path, onWait))) removeStale(path)
    server = await listen(path)
  }
  // The descriptor has no public name; without it the lock only ends with this process.
  const descriptor = server._handle?.fd
  if (descriptor > 0) letToolsHold([descriptor])
  const waiting = new Set()
  server.on('connection', (socket) => {
    waiting.add(socket.unref())
    socket.on('error', () => undefined).once('close', () => waiting.delete(socket))
  })
  try {
    return await body()
  } finally {
    letToolsHold([])
    server.close()
    for (const socket of waiting) socket.destroy()
  }
}

/** Short, since a socket's path may have 103 characters on macOS. */
function socketPath() {
  const user = process.getuid?.() ?? ''
  const name = `gator-${fingerprint(ROOT, String(user)).slice(0, 12)}`
  if (process.platform === 'win32') return `\\\\.\\pipe\\${name}`
  return join(tmpdir(), `${name}.sock`)
}

/** @returns {Promise<import('node:net').Server | undefined>} undefined if the path is taken */
function listen(path) {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', (error) => (error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error)))
    server.listen(path, () => resolve(server.unref()))
  })
}

/** Answers true once a living holder has let go, false at once if nobody is behind the path. */
function heldByOther(path, onWait) {
  return new Promise((resolve) => {
    let isConnected = false
    const socket = connect(path, () => {
      isConnected = true
      onWait()
    })
    socket.on('error', () => undefined)
    socket.on('close', () => resolve(isConnected))
    socket.resume()
  })
}

function removeStale(path) {
  try {
    unlinkSync(path)
  } catch (error) {
    if (error.code !== 'ENOENT') throw error
  }
}
