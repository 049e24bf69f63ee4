import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type DatabaseName, databases, emptyDatabases, type TestDatabase } from '../support/databases.js'
import { migrateSqlite } from '../support/sqlite.js'
import { Connection, connectToEachWorker } from './connection.js'
import { type LockHolder, lockHolderOf } from './lock-holder.js'
import { type ServerOptions, ServerProcess } from './server.js'

interface Options extends Partial<ServerOptions> {
  /** The database to serve, in place of `gator.db` in the folder. */
  readonly database?: TestDatabase
}

/**
 * What a test starts, and one call that ends all of it: servers with their workers, lock holders, connections, databases,
 * folders. Made for `afterEach(() => sandbox.clear())`, which runs whether the test passed or not.
 */
export class Sandbox {
  readonly #folders: string[] = []
  readonly #databases: TestDatabase[] = []
  readonly #servers: ServerProcess[] = []
  readonly #holders: LockHolder[] = []
  readonly #connections: Connection[] = []

  /**
   * @param kind of the databases that it makes
   * @param isMeasured whether the speed of its servers matters
   */
  constructor(
    private readonly kind: DatabaseName = 'SQLite',
    private readonly isMeasured = false,
  ) {}

  /** A database that is current. */
  database(): Promise<TestDatabase> {
    return this.#keep(databases[this.kind]())
  }

  /** A database that was never migrated. */
  emptyDatabase(): Promise<TestDatabase> {
    return this.#keep(emptyDatabases[this.kind]())
  }

  /** A temporary folder with an SQLite database that is current, `gator.db`. */
  folder(): string {
    const folder = this.emptyFolder()
    migrateSqlite(join(folder, 'gator.db'))
    return folder
  }

  emptyFolder(): string {
    const folder = mkdtempSync(join(tmpdir(), 'gator-processes-'))
    this.#folders.push(folder)
    return folder
  }

  /** A server that answers; in a folder, and with a database, of its own unless the options name one. */
  async start(options: Options = {}): Promise<ServerProcess> {
    const needsDatabase = options.database === undefined && options.folder === undefined
    const database = needsDatabase ? await this.database() : options.database
    return this.launch({ ...options, ...(database && { database }) }).ready()
  }

  /** A server that is not waited for. What it serves is the given database, or SQLite's file in its folder. */
  launch({ database, folder = database ? this.emptyFolder() : this.folder(), ...options }: Options): ServerProcess {
    const env = { ...(database && { DATABASE_URL: database.url }), ...options.env }
    const server = new ServerProcess({ isMeasured: this.isMeasured, ...options, folder, env })
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

  lockHolder(database: TestDatabase): LockHolder {
    const holder = lockHolderOf(database)
    this.#holders.push(holder)
    return holder
  }

  async clear(): Promise<void> {
    for (const connection of this.#connections.splice(0)) connection.close()
    await Promise.all(this.#holders.splice(0).map((holder) => holder.end()))
    await Promise.all(this.#servers.splice(0).map((server) => server.end()))
    await Promise.all(this.#databases.splice(0).map((database) => database.remove()))
    for (const folder of this.#folders.splice(0)) rmSync(folder, { recursive: true, force: true })
  }

  async #keep(made: Promise<TestDatabase>): Promise<TestDatabase> {
    const database = await made
    this.#databases.push(database)
    return database
  }
}
