import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** What /proc counts in; the kernel's default, should getconf be missing. */
const TICKS_PER_SECOND = 100
const MICROS_PER_SECOND = 1_000_000

/** /proc/PID/stat after the name, which may hold anything: the fields of `man 5 proc` from the third on. */
const USER_TIME = 14 - 3
const SYSTEM_TIME = 15 - 3

/**
 * Which cores a server and its load run on, so that neither takes the other's: the load has the last one, the server as
 * many of the others as it has workers. Undefined where there are not enough, or no `taskset`: then they share all.
 * @returns {{ server: number[], load: number[] } | undefined}
 */
export function coresFor(workers) {
  const cores = allowedCores()
  if (workers >= cores.length || spawnSync('taskset', ['--version'], { stdio: 'ignore' }).status !== 0) return undefined
  return { server: cores.slice(0, workers), load: cores.slice(-1) }
}

/** What `fork` needs to keep a process on these cores, and to start it with these options of Node's. */
export function pinned(cores, nodeArgs = []) {
  if (!cores) return { execArgv: nodeArgs }
  return { execPath: 'taskset', execArgv: ['--cpu-list', cores.join(','), process.execPath, ...nodeArgs] }
}

/**
 * The processor time that a process and all below it have used so far, in microseconds; undefined where there is no
 * /proc. A clock tick, ten milliseconds, is the finest that it can tell.
 */
export function cpuMicrosOf(pid) {
  if (process.platform !== 'linux') return undefined
  const ticks = treeOf(pid).reduce((sum, each) => sum + ticksOf(each), 0)
  return (ticks / ticksPerSecond()) * MICROS_PER_SECOND
}

/** The cores that this process may run on; none where there is no /proc. */
function allowedCores() {
  const [, list = ''] = /^Cpus_allowed_list:\s*(.*)$/m.exec(readProc('self/status')) ?? []
  return list
    .split(',')
    .filter(Boolean)
    .flatMap((range) => {
      const [first, last = first] = range.split('-').map(Number)
      return Array.from({ length: last - first + 1 }, (_value, index) => first + index)
    })
}

let rate
function ticksPerSecond() {
  rate ??= Number(spawnSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }).stdout) || TICKS_PER_SECOND
  return rate
}

function treeOf(pid) {
  const children = readProc(`${pid}/task/${pid}/children`).split(' ').filter(Boolean)
  return [pid, ...children.flatMap((child) => treeOf(Number(child)))]
}

function ticksOf(pid) {
  const fields = readProc(`${pid}/stat`).split(') ').at(-1)?.split(' ') ?? []
  return Number(fields[USER_TIME] ?? 0) + Number(fields[SYSTEM_TIME] ?? 0)
}

/** Empty for a process that has ended. */
function readProc(path) {
  try {
    return readFileSync(`/proc/${path}`, 'utf8')
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'ESRCH') return ''
    throw error
  }
}
