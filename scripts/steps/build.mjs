import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { contentOf, filesBelow, fingerprint } from '../lib/fingerprint.mjs'
import { inProject } from '../lib/paths.mjs'
import { run } from '../lib/run.mjs'
import { generate } from './generate.mjs'
import { install } from './install.mjs'

/** The compiler's notes of what it has emitted lie inside dist: without dist, they would make it emit nothing. */
const BUILD_INFO = 'dist/.tsbuildinfo'

/**
 * dist, compiled from src.
 * @type {import('../lib/steps.mjs').Step}
 */
export const build = {
  title: 'building src into dist',
  stamp: 'dist/.gator-build',
  fingerprint: () => {
    const sources = filesBelow(inProject('src'), isSource)
    return fingerprint(
      ...sources.flatMap((path) => [path, contentOf('src', path)]),
      ...['tsconfig.json', 'tsconfig.build.json'].map((path) => contentOf(path)),
      generate.fingerprint(),
      install.fingerprint(),
    )
  },
  run: async (wasComplete) => {
    if (!wasComplete) rmSync(inProject('dist'), { recursive: true, force: true })
    const compiler = [process.execPath, 'node_modules/typescript/bin/tsc']
    await run([...compiler, '-p', 'tsconfig.build.json', '--tsBuildInfoFile', BUILD_INFO, '--pretty', 'false'])
    removeOrphans()
  },
}

/** The generated clients are covered by their own step's inputs; tests are not built. */
function isSource(path) {
  return path !== 'generated' && !path.endsWith('.spec.ts')
}

/** A source that was deleted or renamed leaves its output behind, which an import would still find. */
function removeOrphans() {
  for (const path of filesBelow(inProject('dist'))) {
    const [, name] = /^(.+)\.js(?:\.map)?$/.exec(path) ?? []
    if (/^bundle(-unfinished)?\//.test(path)) continue
    if (name && !existsSync(inProject('src', `${name}.ts`))) rmSync(join(inProject('dist'), path))
  }
}
