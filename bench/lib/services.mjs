const SERVICE = new URL('../http-server.mjs', import.meta.url)
const BARE = new URL('../bare-server.mjs', import.meta.url)

const serviceOn = ({ url }, settings = {}) => ({ program: SERVICE, settings: { DATABASE_URL: url, ...settings } })

const hasNoCursors = (route) => route !== 'list-cursor'

/**
 * What can be measured: the kind of database that each is on, how it is started on one, and which routes are of interest
 * (all, unless it says so).
 */
export const SERVICES = {
  sqlite: { title: 'SQLite', kind: 'sqlite', server: (database) => serviceOn(database) },
  // A database of 10,000 fits into the cache: what a read costs that is not there, only this one shows.
  uncached: {
    title: 'SQLite, nothing kept',
    kind: 'sqlite',
    shows: (route) => ['get-cold', 'list-any'].includes(route),
    server: (database) => serviceOn(database, { CACHE_BYTES: '0' }),
  },
  postgresql: { title: 'PostgreSQL', kind: 'postgresql', server: (database) => serviceOn(database) },
  'through-prisma': {
    title: 'PostgreSQL, Prisma alone',
    kind: 'postgresql',
    shows: (route) => ['get-hot', 'list-first', 'list-any'].includes(route),
    server: (database) => ({ ...serviceOn(database), args: ['through-prisma'] }),
  },
  official: {
    title: "SQLite, Prisma's adapter",
    kind: 'sqlite',
    shows: hasNoCursors,
    server: (database) => ({ ...serviceOn(database), args: ['official'] }),
  },
  bare: {
    title: 'SQLite, bare Fastify',
    kind: 'sqlite',
    shows: hasNoCursors,
    server: ({ file }) => ({ program: BARE, args: [file] }),
  },
}
