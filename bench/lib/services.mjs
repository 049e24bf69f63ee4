const SERVICE = new URL('../http-server.mjs', import.meta.url)
const BARE = new URL('../bare-server.mjs', import.meta.url)

const serviceOn = ({ url }, settings = {}) => ({ program: SERVICE, settings: { DATABASE_URL: url, ...settings } })

/** What can be measured: the kind of database that each is on, and how it is started on one. */
export const SERVICES = {
  sqlite: { title: 'SQLite', kind: 'sqlite', server: (database) => serviceOn(database) },
  // A database of 10,000 fits into the cache: what a read costs that is not there, only this one shows.
  uncached: {
    title: 'SQLite, nothing kept',
    kind: 'sqlite',
    server: (database) => serviceOn(database, { CACHE_BYTES: '0' }),
  },
  postgresql: { title: 'PostgreSQL', kind: 'postgresql', server: (database) => serviceOn(database) },
  official: {
    title: "SQLite, Prisma's adapter",
    kind: 'sqlite',
    server: (database) => ({ ...serviceOn(database), args: ['official'] }),
  },
  bare: { title: 'SQLite, bare Fastify', kind: 'sqlite', server: ({ file }) => ({ program: BARE, args: [file] }) },
}
