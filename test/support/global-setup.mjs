import { startServer } from './postgres-server.mjs'

/** Each process that is tested has a pool of its own, and several suites run at a time. */
const MAX_CONNECTIONS = '500'

/** One PostgreSQL server for the whole Jest run; the processes that run the tests inherit its address. */
export default async function globalSetup() {
  // Servers that a test starts for itself end with this process too, see postgres-supervisor.mjs.
  process.env.TEST_RUN_PID = String(process.pid)
  const server = await startServer({ settings: { max_connections: MAX_CONNECTIONS } })
  globalThis.sharedPostgresServer = server
  process.env.TEST_POSTGRES_URL = server.adminUrl
}
