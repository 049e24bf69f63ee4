import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

interface Entry {
  readonly pid: number
  readonly parent: number
}

const run = promisify(execFile)

/** The ids of the processes that a process has started and that still run. */
export async function childrenOf(pid: number): Promise<number[]> {
  return (await runningProcesses()).filter(({ parent }) => parent === pid).map((entry) => entry.pid)
}

/** Those of the ids whose processes still run. */
export async function stillRunning(pids: readonly number[]): Promise<number[]> {
  return (await runningProcesses()).map((entry) => entry.pid).filter((pid) => pids.includes(pid))
}

/** A process that has ended and that nobody has asked about yet (a zombie) does not count: it holds nothing any more. */
async function runningProcesses(): Promise<Entry[]> {
  const { stdout } = await run('ps', ['-A', '-o', 'pid=,ppid=,stat='])
  return stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , state]) => !state?.startsWith('Z'))
    .map(([pid, parent]) => ({ pid: Number(pid), parent: Number(parent) }))
}
