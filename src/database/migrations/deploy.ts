import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { text } from 'node:stream/consumers'
import { environmentWith } from '../../config/environment.js'
import { packageRoot } from '../../package-root.js'

/** `prisma migrate deploy` failed; the message is what it said. */
export class MigrationFailedError extends Error {
  override readonly name = 'MigrationFailedError'
}

/**
 * Applies pending migrations as a developer would, with Prisma's own command line, which keeps others out by its own
 * lock while it does so.
 * @throws MigrationFailedError with the command's output
 */
export async function deployMigrations(databaseUrl: string): Promise<void> {
  const cli = createRequire(import.meta.url).resolve('prisma/build/index.js')
  const child = spawn(process.execPath, [cli, 'migrate', 'deploy'], {
    cwd: packageRoot,
    env: environmentWith({ DATABASE_URL: databaseUrl }),
    // No standard input: the command waits for the end of one that it is given.
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  if (child.exitCode !== 0)
    throw new MigrationFailedError(`prisma migrate deploy failed:\n${stdout}${stderr}`.trimEnd())
}
