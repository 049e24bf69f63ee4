import { register } from 'node:module'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isMainThread } from 'node:worker_threads'

/**
 * Makes a server's code wrong while Node loads it: `node --import sabotage.mjs dist/main.js`, with the sabotage as JSON
 * in the environment variable SABOTAGE (`file`, `search`, `replacement`). Nothing on the disk is changed. A sabotage whose
 * text is not there, exactly once, stops the server: it would prove nothing.
 */
const { file, search, replacement } = JSON.parse(process.env.SABOTAGE)

if (isMainThread) register(import.meta.url)

export async function load(url, context, nextLoad) {
  const loaded = await nextLoad(url, context)
  if (!url.startsWith('file:') || !fileURLToPath(url).endsWith(file)) return loaded
  const source = String(loaded.source)
  if (source.split(search).length !== 2)
    throw new Error(`The sabotage does not fit ${file} in ${dirname(url)}: ${search}`)
  return { ...loaded, source: source.replace(search, () => replacement) }
}
