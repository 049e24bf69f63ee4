import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/**
 * Starts a PostgreSQL server that cannot outlive this process. It is the child of a supervisor (postgres-supervisor.mjs)
 * whose standard input is a pipe from here: however this process ends, the pipe closes, and the supervisor ends the
 * server and removes its folder.
 *
 * Plain JavaScript, since Jest's global setup loads it without compiling; postgres.ts is its face for the tests.
 * @param {import('./postgres.js').PostgresOptions} [options]
 */
export async function startServer(options = {}) {
  const supervisor = spawn(process.execPath, [fileURLToPath(new URL('postgres-supervisor.mjs', import.meta.url))], {
    stdio: ['pipe', 'pipe', 'inherit'],
    // A group of its own: a Ctrl-C in the terminal ends the tests, and the closed pipe then ends the server in order.
    detached: true,
  })
  supervisor.stdin.on('error', () => undefined)
  const exited = once(supervisor, 'exit')
  supervisor.stdin.write(`${JSON.stringify(options)}\n`)
  const lines = createInterface({ input: supervisor.stdout })[Symbol.asyncIterator]()
  const report = await nextReport(lines)

  // A server that a test forgot must not keep the test's process alive.
  const handles = [supervisor, supervisor.stdin, supervisor.stdout]
  for (const handle of handles) handle.unref()
  return {
    adminUrl: `postgresql://postgres@127.0.0.1:${report.port}/postgres`,
    port: report.port,
    pid: report.pid,
    dataDirectory: report.dataDirectory,
    down: async (mode) => {
      supervisor.stdin.write(`down ${mode}\n`)
      await nextReport(lines)
    },
    up: async () => {
      supervisor.stdin.write('up\n')
      await nextReport(lines)
    },
    stop: async (mode = 'fast') => {
      for (const handle of handles) handle.ref()
      supervisor.stdin.end(`${mode}\n`)
      await exited
    },
  }
}

/** The supervisor's next line: where the server is, or why there is none. */
async function nextReport(lines) {
  const { value } = await lines.next()
  const report = JSON.parse(value ?? '{"error": "PostgreSQL\'s supervisor ended without a word"}')
  if (report.error) throw new Error(report.error)
  return report
}
