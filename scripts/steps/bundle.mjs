import { renameSync, rmSync } from 'node:fs'
import { contentOf, fingerprint } from '../lib/fingerprint.mjs'
import { inProject } from '../lib/paths.mjs'
import { build } from './build.mjs'

/** Whatever is started as a process, or as a thread. */
const PROGRAMS = {
  main: 'dist/main.js',
  gator: 'dist/cli/gator.js',
  demo: 'dist/cli/demo.js',
  'backup-child': 'dist/backup/child.js',
  'lock-probe-holder': 'dist/database/sqlite/lock-probe-holder.js',
  'checkpoint-thread': 'dist/database/sqlite/checkpoints/checkpoint-thread.js',
  'checkpoint-now-thread': 'dist/database/sqlite/checkpoints/checkpoint-now-thread.js',
}

/**
 * Packages that stay outside: those with a file of their own that they look for beside them (a native module, a wasm
 * engine, web pages, a thread's script), and those that Nest offers to use and this project does not have.
 */
const OUTSIDE = [
  'better-sqlite3',
  'prisma',
  '@prisma/schema-engine-wasm',
  '@fastify/static',
  'pino',
  'pino-pretty',
  'pg-native',
  '@nestjs/websockets*',
  '@nestjs/microservices*',
  '@nestjs/platform-express',
  '@fastify/view',
  '@fastify/middie',
  '@fastify/multipart',
  '@fastify/cors',
  'class-transformer/storage',
]

/** Packages in the older module format call `require`, which a module of the newer one does not have. */
const REQUIRE = `import { createRequire as createRequireOfBundle } from 'node:module'
const require = createRequireOfBundle(import.meta.url)`

/**
 * dist/bundle: each program in a few files, instead of the thousand that it is made of. Node spends half of a start on
 * finding and reading those.
 * @type {import('../lib/steps.mjs').Step}
 */
export const bundle = {
  title: 'bundling dist',
  stamp: 'dist/bundle/.gator-bundle',
  fingerprint: () => fingerprint(build.fingerprint(), contentOf('scripts', 'steps', 'bundle.mjs')),
  run: async () => {
    const [made, unfinished] = ['bundle', 'bundle-unfinished'].map((name) => inProject('dist', name))
    rmSync(unfinished, { recursive: true, force: true })
    // Loaded here: when there is nothing to bundle, the bundler may not even be installed yet.
    const { build: esbuild } = await import('esbuild')
    await esbuild({
      absWorkingDir: inProject(),
      entryPoints: PROGRAMS,
      outdir: unfinished,
      bundle: true,
      splitting: true,
      platform: 'node',
      format: 'esm',
      target: 'node20',
      // Its text stays in memory. Lines stay: a stack leads to its place. So do names, but for those that two modules have.
      // To keep all of them (keepNames) each closure is given its name when it is made: a fifth of a GET.
      minifySyntax: true,
      external: OUTSIDE,
      banner: { js: REQUIRE },
      logLevel: 'warning',
    })
    // A server that runs from here may start a program at any moment.
    rmSync(made, { recursive: true, force: true })
    renameSync(unfinished, made)
  },
}
