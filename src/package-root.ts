import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** Absolute path of the checkout, the same from `src` (tests) and from `dist` (the server). */
export const packageRoot = fileURLToPath(new URL('..', import.meta.url))

const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  name: string
  version: string
}

/** Name and version as package.json has them: what `GET /` and the OpenAPI document say. */
export const packageInfo: Readonly<{ name: string; version: string }> = Object.freeze({
  name: manifest.name,
  version: manifest.version,
})
