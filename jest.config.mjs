import { availableParallelism } from 'node:os'

const swc = [
  '@swc/jest',
  {
    jsc: {
      parser: { syntax: 'typescript', decorators: true },
      transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: false },
      target: 'es2022',
      keepClassNames: true,
    },
    module: { type: 'es6' },
    sourceMaps: 'inline',
  },
]

/**
 * What measures time, or needs the whole machine to provoke what it looks for. A pattern each, held against the path; every
 * other suite mostly waits for processes, locks and clocks, and bears others beside it.
 */
const ALONE = [
  '/test/proof/(disk-full|kill-loop|list-plans|overload|pinned-wal)\\.spec',
  '/test/database/(tickets|ticket-processes|watchdog|group-commit)\\.spec',
  '/test/http/(hostile|large)-bodies\\.spec',
  '/test/processes/(foreign-lock|killed-worker|reload|slow-listeners)\\.spec',
]

/** More at a time starve each other: a suite of processes starts up to eight of them. */
const MOST_WORKERS = 4
const FEWEST_WORKERS = 2

/**
 * Jest in ESM mode: swc compiles (decorators and their metadata included), relative imports lose the `.js` that
 * TypeScript's nodenext resolution asks for. Tests of processes and databases get a timeout that fits them.
 * @type {import('jest').Config}
 */
const common = {
  rootDir: import.meta.dirname,
  roots: ['<rootDir>/src', '<rootDir>/test'],
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '\\.ts$': swc },
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  setupFiles: ['reflect-metadata', '<rootDir>/test/support/require-esm.ts'],
  globalSetup: '<rootDir>/test/support/global-setup.mjs',
  globalTeardown: '<rootDir>/test/support/global-teardown.mjs',
}

/** Two parts of one run, one after the other: it fails if either does, and the other is run all the same. */
export default {
  testTimeout: 30_000,
  maxWorkers: Math.min(MOST_WORKERS, Math.max(FEWEST_WORKERS, availableParallelism())),
  projects: [
    {
      ...common,
      displayName: 'together',
      testRegex: '\\.spec\\.ts$',
      testPathIgnorePatterns: ['/node_modules/', ...ALONE],
    },
    {
      ...common,
      displayName: 'alone',
      testRegex: ALONE,
      runner: '<rootDir>/test/support/serial-runner.mjs',
    },
  ],
}
