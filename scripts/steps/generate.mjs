import { existsSync } from 'node:fs'
import { Failure } from '../lib/failure.mjs'
import { contentOf, fingerprint } from '../lib/fingerprint.mjs'
import { inProject } from '../lib/paths.mjs'
import { run } from '../lib/run.mjs'

const PRISMA = 'node_modules/prisma/build/index.js'

/** An address of each kind of database: prisma.config.ts reads off it which client is meant. Nothing connects to it. */
const DATABASE_URLS = ['file:./data/gator.db', 'postgresql://localhost/gator']

/**
 * Both Prisma clients.
 * @type {import('../lib/steps.mjs').Step}
 */
export const generate = {
  title: 'generating the Prisma clients',
  stamp: 'src/generated/.gator-generate',
  fingerprint: () => {
    const { packages } = JSON.parse(contentOf('package-lock.json'))
    const versions = ['prisma', '@prisma/client'].map((name) => packages[`node_modules/${name}`].version)
    return fingerprint(contentOf('prisma', 'schema.prisma'), contentOf('prisma.config.ts'), ...versions)
  },
  run: async () => {
    if (!existsSync(inProject(PRISMA))) {
      throw new Failure('Prisma is not installed yet: npm run build installs what is missing and generates.')
    }
    await Promise.all(
      DATABASE_URLS.map((url) =>
        run([process.execPath, PRISMA, 'generate'], {
          env: { DATABASE_URL: url, CHECKPOINT_DISABLE: '1', PRISMA_HIDE_UPDATE_MESSAGE: '1' },
        }),
      ),
    )
  },
}
