import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { ROOT } from './paths.mjs'

const PASSED_ON = ['SIGINT', 'SIGTERM', 'SIGHUP']

/** A shell's exit code for a process that a signal ended. */
const SIGNAL_EXIT_BASE = 128

/** File descriptors that every tool inherits, see lock.mjs. */
let heldByTools = []

/** @param {number[]} descriptors */
export function letToolsHold(descriptors) {
  heldByTools = descriptors
}

/** A tool that did not end with exit code 0, with all that it said. */
export class ToolFailed extends Error {
  /**
   * @param {string} command the command line, to be shown
   * @param {string} ending 'exit code 1', 'SIGKILL', 'not found'
   * @param {string} output stdout and stderr in the order in which they came
   */
  constructor(command, ending, output) {
    super(`${command}: ${ending}`)
    this.command = command
    this.ending = ending
    this.output = output.trimEnd()
  }
}

/**
 * Runs a tool in the project's folder and keeps what it says to itself.
 * @param {string[]} command program and arguments
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv }} [options] `env` is added to this process's own
 * @returns {Promise<string>} what it said
 * @throws {ToolFailed}
 */
export async function run(command, { cwd = ROOT, env = {} } = {}) {
  // A process group of its own, so that a signal ends what the tool has started (a compiler below npm) along with it.
  const stdio = ['ignore', 'pipe', 'pipe', ...heldByTools]
  const child = start(command, { cwd, env, stdio, detached: true })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text) => {
      output += text
    })
  }
  const { code, signal, error, interruptedBy } = await ended(child, (received) => signalGroup(child.pid, received))
  if (interruptedBy) process.exit(SIGNAL_EXIT_BASE + constants.signals[interruptedBy])
  if (code === 0) return output
  const ending = error ? (error.code === 'ENOENT' ? 'not found' : error.message) : (signal ?? `exit code ${code}`)
  throw new ToolFailed(shown(command), ending, output)
}

/**
 * Runs a tool that has the terminal to itself, passes signals on to it, and answers how it ended.
 * @param {string[]} command program and arguments
 * @returns {Promise<number>} its exit code; 128 + the signal's number if a signal ended it
 */
export async function handOver(command) {
  const child = start(command, { cwd: ROOT, stdio: 'inherit' })
  const { code, signal, error } = await ended(child, (received) => child.kill(received))
  if (error) throw error
  return code ?? SIGNAL_EXIT_BASE + constants.signals[signal]
}

function start([program, ...args], { env = {}, ...options }) {
  return spawn(program, args, { ...options, env: { ...process.env, ...env } })
}

function signalGroup(pid, signal) {
  try {
    process.kill(-pid, signal)
  } catch (error) {
    if (error.code !== 'ESRCH') throw error
  }
}

/** How a child process ended, and the first signal that came for it in the meantime. */
function ended(child, passOn) {
  return new Promise((resolve) => {
    let interruptedBy
    const onSignal = (signal) => {
      interruptedBy ??= signal
      passOn(signal)
    }
    for (const signal of PASSED_ON) process.on(signal, onSignal)
    const finish = (ending) => {
      for (const signal of PASSED_ON) process.off(signal, onSignal)
      resolve({ ...ending, interruptedBy })
    }
    child.once('error', (error) => finish({ error }))
    child.once('close', (code, signal) => finish({ code, signal }))
  })
}

/** Node's own path says nothing to a reader. */
function shown([program, ...args]) {
  return [program === process.execPath ? 'node' : program, ...args].join(' ').replaceAll(`${ROOT}/`, '')
}
