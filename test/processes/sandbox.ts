import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Connection, connectToEachWorker } from './connection.js'
import { LockHolder } from './lock-holder.js'
import { makeMigratedDatabase } from './migrated-database.js'
import { type ServerOptions, ServerProcess } from './server.js'

type Options = Partial<ServerOptions>

/**
 * What a test starts, and one call that ends all of it: servers with their workers, lock holders, connections, folders.
 * Made for `afterEach(() => sandbox.clear())`, which runs whether the test passed or not.
 */
export class Sandbox {
  readonly #folders: string[] = []
  readonly #servers: ServerProcess[] = []
  readonly #holders: LockHolder[] = []
  readonly #connections: Connection[] = []

  /** A temporary folder with a database that is current. */
  folder(): string {
    const folder = this.emptyFolder()
    makeMigratedDatabase(folder)
    return folder
  }

  emptyFolder(): string {
    const folder = mkdtempSync(join(tmpdir(), 'gator-processes-'))
    this.#folders.push(folder)
    return folder
  }

  /** A server that answers; in a folder, and with a database, of its own unless the options name one. */
  start(options: Options = {}): Promise<ServerProcess> {
    return this.launch(options).ready()
  }

  /** A server that is not waited for. */
  launch(options: Options = {}): ServerProcess {
    const server = new ServerProcess({ folder: options.folder ?? this.folder(), ...options })
    this.#servers.push(server)
    return server
  }

  connect({ url }: ServerProcess): Connection {
    const connection = new Connection(url)
    this.#connections.push(connection)
    return connection
  }

  /** A connection to each worker, in the order of their slots. */
  async connectToEachWorker({ url }: ServerProcess, workers: number): Promise<Connection[]> {
    const connections = await connectToEachWorker(url, workers)
    this.#connections.push(...connections)
    return connections
  }

  lockHolder(folder: string): LockHolder {
    const holder = new LockHolder(join(folder, 'gator.db'))
    this.#holders.push(holder)
    return holder
  }

  async clear(): Promise<void> {
    for (const connection of this.#connections.splice(0)) connection.close()
    await Promise.all(this.#holders.splice(0).map((holder) => holder.end()))
    await Promise.all(this.#servers.splice(0).map((server) => server.end()))
    for (const folder of this.#folders.splice(0)) rmSync(folder, { recursive: true, force: true })
  }
}
