import { startServer } from './postgres-server.mjs'

/** One PostgreSQL server for the whole Jest run; the processes that run the tests inherit its address. */
export default async function globalSetup() {
  // Servers that a test starts for itself end with this process too, see postgres-supervisor.mjs.
  process.env.TEST_RUN_PID = String(process.pid)
  const server = await startServer()
  globalThis.sharedPostgresServer = server
  process.env.TEST_POSTGRES_URL = server.adminUrl
}
