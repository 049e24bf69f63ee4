import {
  appendFileSync,
  chmodSync,
  chownSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, sep } from 'node:path'
import pg from 'pg'
import { until } from '../processes/until.js'
import { type PostgresServer, startPostgres } from '../support/postgres.js'

const OWNER_ONLY = 0o700
/** What a copy of a running server's folder leaves out (https://www.postgresql.org/docs/current/continuous-archiving.html). */
const LEFT_OUT = /^(postmaster\.(pid|opts)|pg_wal\/.+|pg_stat_tmp\/.+)$/

/**
 * A streaming replica of a running server: a base backup by the low-level interface, which needs no program that the
 * embedded binaries lack. The primary waits for it with every commit when this resolves.
 */
export async function startSynchronousReplica(primary: PostgresServer): Promise<PostgresServer> {
  const admin = new pg.Client({ connectionString: primary.adminUrl })
  await admin.connect()
  try {
    const replica = await startPostgres({ copyOf: await baseBackup(admin, primary), settings: { hot_standby: 'on' } })
    await admin.query(`ALTER SYSTEM SET synchronous_standby_names = '*'`)
    await admin.query('SELECT pg_reload_conf()')
    await until('the replica is synchronous', async () => {
      const { rows } = await admin.query(`SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'`)
      return rows.length > 0
    })
    return replica
  } finally {
    await admin.end()
  }
}

/** Makes a replica the primary; it takes writes when this resolves. */
export async function promote(replica: PostgresServer): Promise<void> {
  const admin = new pg.Client({ connectionString: replica.adminUrl })
  await admin.connect()
  try {
    await admin.query('SELECT pg_promote(wait => true)')
  } finally {
    await admin.end()
  }
}

async function baseBackup(admin: pg.Client, { dataDirectory, port }: PostgresServer): Promise<string> {
  const copy = mkdtempSync(join(tmpdir(), 'gator-replica-'))
  await admin.query(`SELECT pg_backup_start('replica', fast => true)`)
  cpSync(dataDirectory, copy, {
    recursive: true,
    filter: (source) =>
      !LEFT_OUT.test(
        source
          .slice(dataDirectory.length + 1)
          .split(sep)
          .join('/'),
      ),
  })
  const { rows } = await admin.query<{ labelfile: string }>('SELECT labelfile FROM pg_backup_stop(false)')
  mkdirSync(join(copy, 'pg_wal'), { recursive: true })
  writeFileSync(join(copy, 'backup_label'), rows[0]?.labelfile ?? '')
  writeFileSync(join(copy, 'standby.signal'), '')
  appendFileSync(
    join(copy, 'postgresql.auto.conf'),
    `primary_conninfo = 'host=127.0.0.1 port=${port} user=postgres'\nsynchronous_standby_names = ''\n`,
  )
  chmodSync(copy, OWNER_ONLY)
  giveTo(copy, statSync(dataDirectory))
  return copy
}

function giveTo(path: string, { uid, gid }: { uid: number; gid: number }): void {
  chownSync(path, uid, gid)
  if (!statSync(path).isDirectory()) return
  for (const name of readdirSync(path)) giveTo(join(path, name), { uid, gid })
}
