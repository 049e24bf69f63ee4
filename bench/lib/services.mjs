const SERVICE = new URL('../http-server.mjs', import.meta.url)
const BARE = new URL('../bare-server.mjs', import.meta.url)

const serviceOn = ({ url }) => ({ program: SERVICE, settings: { DATABASE_URL: url } })

/** What can be measured: the kind of database that each is on, and how it is started on one. */
export const SERVICES = {
  sqlite: { title: 'SQLite', kind: 'sqlite', server: serviceOn },
  postgresql: { title: 'PostgreSQL', kind: 'postgresql', server: serviceOn },
  official: {
    title: "SQLite, Prisma's adapter",
    kind: 'sqlite',
    server: (database) => ({ ...serviceOn(database), args: ['official'] }),
  },
  bare: { title: 'SQLite, bare Fastify', kind: 'sqlite', server: ({ file }) => ({ program: BARE, args: [file] }) },
}
