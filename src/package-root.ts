import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Absolute path of the checkout, the same from `src` (tests), from `dist` and from what is bundled of it. */
export const packageRoot = rootAbove(import.meta.dirname)

const manifest = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as {
  name: string
  version: string
}

/** Name and version as package.json has them: what `GET /` and the OpenAPI document say. */
export const packageInfo: Readonly<{ name: string; version: string }> = Object.freeze({
  name: manifest.name,
  version: manifest.version,
})

/** Where the build puts a program that is started as a process, or as a thread (scripts/steps/bundle.mjs). */
export function programFile(name: string): string {
  return join(packageRoot, 'dist', 'bundle', `${name}.js`)
}

function rootAbove(folder: string): string {
  return existsSync(join(folder, 'package.json')) ? folder : rootAbove(dirname(folder))
}
