import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'prisma/config'

/**
 * Configuration of Prisma's command line. DATABASE_URL alone decides which database a command speaks to, so that
 * `npx prisma migrate status` means the database that `npm start` would serve.
 */
const root = fileURLToPath(new URL('.', import.meta.url))
if (existsSync(join(root, '.env'))) process.loadEnvFile(join(root, '.env'))

const url = process.env.DATABASE_URL || 'file:./data/gator.db'
const provider = /^postgres(ql)?:\/\//.test(url) ? 'postgresql' : 'sqlite'

// Prisma's native schema engine is a download from Prisma's own host; the bridge runs the same engine as WebAssembly
// from the npm registry. Whoever names a native engine gets that one.
process.env.PRISMA_SCHEMA_ENGINE_BINARY ??= join(root, 'prisma', 'schema-engine', 'bridge.mjs')

// Otherwise each command reports itself to checkpoint.prisma.io and asks there for a newer version.
process.env.CHECKPOINT_DISABLE ??= '1'

export default defineConfig({
  schema: provider === 'sqlite' ? join(root, 'prisma', 'schema.prisma') : derivePostgresqlSchema(),
  migrations: { path: join(root, 'prisma', 'migrations', provider) },
  datasource: { url },
})

/**
 * Writes the PostgreSQL form of prisma/schema.prisma and answers its path. Nothing but the provider, the output folder
 * and the size of a numbered key differs (SQLite's INTEGER has 64 bits already): the models stand in one place. The file
 * is rewritten only when it changes, so that two commands running side by side do not see it half written.
 */
function derivePostgresqlSchema(): string {
  const source = readFileSync(join(root, 'prisma', 'schema.prisma'), 'utf8')
  const folder = join(root, 'prisma', 'derived')
  const path = join(folder, 'postgresql.prisma')
  const derived =
    '// Derived from ../schema.prisma by prisma.config.ts: edit that one.\n\n' +
    source
      .replace('provider = "sqlite"', 'provider = "postgresql"')
      .replace('../src/generated/sqlite', '../../src/generated/postgresql')
      .replaceAll(/\bInt(\s+@id @default\(autoincrement\(\)\))/g, 'BigInt$1')
  mkdirSync(folder, { recursive: true })
  if (!existsSync(path) || readFileSync(path, 'utf8') !== derived) writeFileSync(path, derived)
  return path
}
