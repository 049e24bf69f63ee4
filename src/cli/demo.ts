import { constants } from 'node:os'
import { packageInfo } from '../package-root.js'
import { connectToWorkers } from './demo/connection.js'
import { play } from './demo/play.js'
import { DemoServer } from './demo/server.js'
import { failed, say } from './demo/transcript.js'

/** `npm run demo`: the real server with three workers, a database of its own, and a transcript of what they answer. */
const WORKERS = 3
const SIGNAL_EXIT_BASE = 128

const server = new DemoServer(WORKERS)
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => void leave(SIGNAL_EXIT_BASE + constants.signals[signal]))
}
// However this process ends: nothing that it started stays.
process.on('exit', () => server.abandon())

let leaving: Promise<never> | undefined
await leave(await run())

async function run(): Promise<number> {
  try {
    const url = await server.start()
    say(`${packageInfo.name} ${packageInfo.version}: ${WORKERS} workers on ${url}, with a database of their own\n`)
    const connections = await connectToWorkers(url, WORKERS)
    await play(connections, say)
    for (const connection of connections) connection.close()
    return 0
  } catch (error) {
    // A server that was told to stop cannot answer: that is no failure.
    if (leaving) return leaving
    say(failed(error instanceof Error ? error.message : String(error)))
    return 1
  }
}

function leave(code: number): Promise<never> {
  leaving ??= server.end().then(
    () => process.exit(code),
    (error: unknown) => {
      say(failed(`The server could not be stopped: ${String(error)}`))
      process.exit(1)
    },
  )
  return leaving
}
