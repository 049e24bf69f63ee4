import { fileURLToPath } from 'node:url'
import { Command } from 'commander'

/** `gator serve`: what `npm start` runs. */
export function serveCommand(): Command {
  return new Command('serve').description('serve the API, with as many workers as WORKERS says').action(async () => {
    const server = new URL('../../main.js', import.meta.url)
    // A worker is forked as this program was called: it is to be the server, and needs nothing of the command line.
    process.argv.splice(1, Infinity, fileURLToPath(server))
    await import(server.href)
  })
}
