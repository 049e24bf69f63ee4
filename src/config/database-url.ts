import { readlinkSync, realpathSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'

/** Which database a `DATABASE_URL` names. `file` is absolute; `url` is what a driver or the Prisma CLI takes. */
export type DatabaseTarget =
  | { readonly provider: 'sqlite'; readonly file: string; readonly url: string }
  | { readonly provider: 'postgresql'; readonly url: string }

/** The two forms that are known, for messages. */
export const KNOWN_DATABASE_URLS = 'file:./data/gator.db (SQLite) or postgresql://user@host:5432/database (PostgreSQL)'

const SQLITE_URL = /^file:(?!\/\/[^/])(?:\/\/)?([^?#]+)$/
const POSTGRESQL_URL = /^postgres(?:ql)?:\/\//

/**
 * Reads a database URL; null when it has neither of the two known forms. A relative SQLite path counts from the working
 * folder. In-memory databases are refused: each connection would see a database of its own.
 */
export function parseDatabaseUrl(value: string): DatabaseTarget | null {
  if (POSTGRESQL_URL.test(value)) return URL.canParse(value) ? { provider: 'postgresql', url: value } : null
  const path = SQLITE_URL.exec(value)?.[1]
  if (!path || path.startsWith(':') || path.endsWith('/')) return null
  const file = linkedFile(resolve(path))
  return { provider: 'sqlite', file, url: `file:${file}` }
}

/** The file itself, where the path is a link, or leads over one: what lies beside it, and on which disk, is asked later. */
function linkedFile(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    const target = linkTarget(path)
    if (target !== undefined && target !== path) return linkedFile(target)
    const folder = dirname(path)
    return folder === path ? path : join(linkedFile(folder), basename(path))
  }
}

function linkTarget(path: string): string | undefined {
  try {
    return resolve(dirname(path), readlinkSync(path))
  } catch {
    return undefined
  }
}
