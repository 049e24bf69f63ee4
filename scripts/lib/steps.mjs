import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { Failure } from './failure.mjs'
import { withLock } from './lock.mjs'
import { inProject } from './paths.mjs'
import { ToolFailed } from './run.mjs'

/** A step that is quicker than this is not worth a line. */
const QUIET_MS = 1_000

/**
 * A part of the preparation that is done again only when what it is made of has changed.
 * @typedef {object} Step
 * @property {string} title what it does, as a person would say it: 'building src into dist'
 * @property {string} [duration] how long that may take: 'about a minute the first time'
 * @property {string} stamp the file, inside the project, that says which inputs its result was made of; it lies inside
 *   the result, so that it disappears together with it
 * @property {() => string} fingerprint one hash over all its inputs
 * @property {() => void} [check] looks for what the step needs before any step is run; throws a Failure
 * @property {(wasComplete: boolean) => Promise<void>} run does it; `wasComplete` is false if the last run failed or was
 *   killed, so that its result may be a part of one
 * @property {(failed: ToolFailed) => string | undefined} [explain] plain words for a failure that has a usual cause
 */

/**
 * Brings the steps up to date in their order.
 * @param {Step[]} steps
 */
export async function bringUpToDate(steps) {
  if (steps.every(isCurrent)) return
  const onWait = () => console.error('gator: waiting for another gator command that prepares this folder…')
  await withLock(onWait, async () => {
    for (const step of steps) if (!isCurrent(step)) step.check?.()
    for (const step of steps) if (!isCurrent(step)) await perform(step)
  })
}

/**
 * Runs a body and says what it is doing if that takes longer than a second.
 * @template T
 * @param {string} title
 * @param {() => Promise<T>} body
 * @returns {Promise<T>}
 */
export async function announced(title, body) {
  const timer = setTimeout(() => console.error(`gator: ${title}…`), QUIET_MS)
  try {
    return await body()
  } finally {
    clearTimeout(timer)
  }
}

function isCurrent(step) {
  return readStamp(step) === step.fingerprint()
}

/** The stamp is taken away first and written last: a step that fails or is killed in between leaves none. */
async function perform(step) {
  const stamp = inProject(step.stamp)
  const wasComplete = readStamp(step) !== undefined
  const fingerprint = step.fingerprint()
  rmSync(stamp, { force: true })
  try {
    await announced(step.duration ? `${step.title} (${step.duration})` : step.title, () => step.run(wasComplete))
  } catch (error) {
    if (!(error instanceof ToolFailed)) throw error
    throw new Failure(`${step.title} failed (${error.message}).\n${step.explain?.(error) ?? error.output}`)
  }
  mkdirSync(dirname(stamp), { recursive: true })
  writeFileSync(stamp, fingerprint)
}

function readStamp(step) {
  try {
    return readFileSync(inProject(step.stamp), 'utf8')
  } catch (error) {
    if (error.code === 'ENOENT') return undefined
    throw error
  }
}
