import { chmodSync, writeFileSync } from 'node:fs'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

/** Whether this user may make a mount namespace, and what is needed for it. */
const UNSHARE = ['unshare --mount', 'unshare --mount --map-root-user'].find(
  (command) => spawnSync('sh', ['-c', `${command} mount -t tmpfs none /mnt`], { stdio: 'ignore' }).status === 0,
)

/** Whether a server can be given mounts of its own here. */
export const hasNamespaces = UNSHARE !== undefined

/**
 * Calls `launch` so that the server that it launches runs `setup`, a shell command, before it begins: in a mount
 * namespace of its own, which ends with the last of its processes, where there are namespaces.
 * @param folder where the script that does this is put
 */
export function launchWith<T>(folder: string, setup: string, launch: () => T): T {
  const { execPath } = process
  const script = join(folder, 'node-with-setup.sh')
  const inner = `${setup} && exec "$@"`
  writeFileSync(script, `#!/bin/sh\nexec ${UNSHARE ?? ''} sh -c '${inner}' sh ${execPath} "$@"\n`)
  chmodSync(script, 0o755)
  // A server is started with the Node that runs the test: for the moment of the start that is the script.
  process.execPath = script
  try {
    return launch()
  } finally {
    process.execPath = execPath
  }
}
