import { Command } from 'commander'

/** `gator demo`: what `npm run demo` runs. */
export function demoCommand(): Command {
  return new Command('demo')
    .description('show the promise: workers on a database of their own, and a transcript of what they answer')
    .action(async () => {
      await import('../demo.js')
    })
}
