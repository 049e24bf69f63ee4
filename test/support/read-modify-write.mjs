// One of several processes that read, modify and write one row in interactive transactions:
// `node read-modify-write.mjs ours|official FILE ID ROUNDS`. Prints how many transactions succeeded and failed, as JSON.
import { PrismaBetterSqlite3 } from '@prisma/adapter-better-sqlite3'
import { SqliteAdapterFactory } from '../../dist/database/sqlite/adapter.js'
import { SqliteEngine } from '../../dist/database/sqlite/engine.js'
import { PrismaClient } from '../../dist/generated/sqlite/client.js'

const [kind, file, id, rounds] = process.argv.slice(2)
const BUSY_TIMEOUT_MS = 30_000

const engine =
  kind === 'ours' ? await SqliteEngine.open({ file, busyTimeoutMs: BUSY_TIMEOUT_MS, synchronous: 'NORMAL' }) : undefined
const adapter = engine
  ? new SqliteAdapterFactory(engine)
  : new PrismaBetterSqlite3({ url: `file:${file}`, timeout: BUSY_TIMEOUT_MS })
const client = new PrismaClient({ adapter, transactionOptions: { maxWait: BUSY_TIMEOUT_MS, timeout: BUSY_TIMEOUT_MS } })

let succeeded = 0
let failed = 0
for (let round = 0; round < Number(rounds); round++) {
  try {
    await client.$transaction(async (transaction) => {
      const { generationCount } = await transaction.persona.findUniqueOrThrow({ where: { id } })
      await transaction.persona.update({ where: { id }, data: { generationCount: generationCount + 1 } })
    })
    succeeded += 1
  } catch {
    failed += 1
  }
}
await client.$disconnect()
await engine?.close()
process.stdout.write(JSON.stringify({ succeeded, failed }))
