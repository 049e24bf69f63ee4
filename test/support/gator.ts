import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'

const GATOR = join(process.cwd(), 'dist', 'bundle', 'gator.js')

export interface GatorOptions {
  readonly folder: string
  readonly env?: Readonly<Record<string, string>>
  /** Another user than the one who runs the tests. */
  readonly uid?: number
}

export interface GatorExit {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Starts the built command `gator`, with no setting of the person who runs the tests. */
export function startGator(words: readonly string[], { folder, env, uid }: GatorOptions): ChildProcess {
  const { PATH = '', TMPDIR = '' } = process.env
  return spawn(process.execPath, [GATOR, ...words], {
    cwd: folder,
    env: { PATH, HOME: folder, ...(TMPDIR && { TMPDIR }), DATABASE_URL: 'file:./gator.db', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(uid !== undefined && { uid, gid: uid }),
  })
}

/** Runs it to its end. */
export async function gator(words: readonly string[], options: GatorOptions): Promise<GatorExit> {
  const child = startGator(words, options)
  const { stdout, stderr } = child
  if (!stdout || !stderr) throw new Error('The process has no output.')
  const [written, told] = await Promise.all([text(stdout), text(stderr), once(child, 'close')])
  return { code: child.exitCode, stdout: written, stderr: told }
}
