import { pathToFileURL } from 'node:url'
import { Command } from 'commander'
import { programFile } from '../../package-root.js'

/** `gator serve`: what `npm start` runs. */
export function serveCommand(): Command {
  return new Command('serve').description('serve the API, with as many workers as WORKERS says').action(async () => {
    const server = programFile('main')
    // A worker is forked as this program was called: it is to be the server, and needs nothing of the command line.
    process.argv.splice(1, Infinity, server)
    await import(pathToFileURL(server).href)
  })
}
