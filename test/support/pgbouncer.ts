import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import pg from 'pg'
import { until } from '../processes/until.js'
import { unprivilegedUser } from './postgres-binaries.mjs'

const CACHE = join(process.cwd(), 'node_modules', '.cache', 'pgbouncer')
/** PgBouncer and the one library of its that few machines have. */
const DEBIAN_PACKAGES = ['pgbouncer', 'libc-ares2']

interface Program {
  readonly path: string
  /** Where its libraries are, when they are not the system's. */
  readonly libraries: string | undefined
}

/** PgBouncer: the system's, or the one of Debian's packages, unpacked beside the other caches; undefined if neither. */
export function findPgbouncer(): Program | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']
  const installed = folders.map((folder) => join(folder, 'pgbouncer')).find(existsSync)
  if (installed !== undefined) return { path: installed, libraries: undefined }
  return unpacked() ?? (download() ? unpacked() : undefined)
}

function unpacked(): Program | undefined {
  const path = join(CACHE, 'usr', 'sbin', 'pgbouncer')
  const libraries = join(CACHE, 'usr', 'lib')
  if (!existsSync(path) || !existsSync(libraries)) return undefined
  const [architecture = ''] = readdirSync(libraries).filter((name) => name.includes('linux'))
  return { path, libraries: join(libraries, architecture) }
}

function download(): boolean {
  mkdirSync(CACHE, { recursive: true })
  if (spawnSync('apt-get', ['download', ...DEBIAN_PACKAGES], { cwd: CACHE }).status !== 0) return false
  const archives = readdirSync(CACHE).filter((name) => name.endsWith('.deb'))
  return archives.every((archive) => spawnSync('dpkg-deb', ['-x', archive, '.'], { cwd: CACHE }).status === 0)
}

/** A PgBouncer in transaction mode in front of a server, with fewer connections to it than clients may have. */
export class Pgbouncer {
  private constructor(
    private readonly child: ChildProcess,
    private readonly folder: string,
    readonly port: number,
  ) {}

  /** @param serverConnections how many connections to the server all clients share */
  static async start(program: Program, serverPort: number, serverConnections: number): Promise<Pgbouncer> {
    const user = unprivilegedUser()
    const folder = mkdtempSync(join(tmpdir(), 'gator-pgbouncer-'))
    // The program may lie where the user that it runs as may not go.
    const bin = join(folder, 'bin')
    mkdirSync(bin)
    cpSync(program.path, join(bin, 'pgbouncer'))
    if (program.libraries) cpSync(program.libraries, bin, { recursive: true })
    const port = await freePort()
    writeFileSync(
      join(folder, 'pgbouncer.ini'),
      `[databases]
* = host=127.0.0.1 port=${serverPort}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = trust
auth_file = ${join(folder, 'users.txt')}
pool_mode = transaction
max_client_conn = 200
default_pool_size = ${serverConnections}
`,
    )
    writeFileSync(join(folder, 'users.txt'), '"postgres" ""\n')
    if (user) chownSync(folder, user.uid, user.gid)
    const child = spawn(join(bin, 'pgbouncer'), [join(folder, 'pgbouncer.ini')], {
      ...user,
      cwd: folder,
      env: { LD_LIBRARY_PATH: bin },
      stdio: 'ignore',
    })
    const bouncer = new Pgbouncer(child, folder, port)
    await until('PgBouncer answers', () => bouncer.#answers())
    return bouncer
  }

  /** The URL of a database behind it, as the service is told that it is behind one. */
  urlOf(url: string): string {
    const behind = new URL(url)
    behind.port = String(this.port)
    behind.searchParams.set('pgbouncer', 'true')
    return behind.href
  }

  async stop(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const exited = once(this.child, 'exit')
      this.child.kill('SIGKILL')
      await exited
    }
    rmSync(this.folder, { recursive: true })
  }

  async #answers(): Promise<boolean> {
    if (this.child.exitCode !== null) throw new Error('PgBouncer ended at once.')
    const where = { host: '127.0.0.1', port: this.port, user: 'postgres', database: 'postgres' }
    const client = new pg.Client({ ...where, connectionTimeoutMillis: 1_000, query_timeout: 1_000 })
    client.on('error', () => undefined)
    try {
      await client.connect()
      await client.query('SELECT 1')
      return true
    } catch {
      return false
    } finally {
      void client.end()
    }
  }
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  await once(probe, 'close')
  return port
}
