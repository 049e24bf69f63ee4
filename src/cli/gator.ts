import { CommanderError } from 'commander'
import { explain } from './failure.js'
import { createProgram } from './program.js'

/** The command `gator`. Exit codes: 0 done, 1 failed, 2 the command line or the settings are wrong. */
const FAILED = 1
const USAGE = 2

const program = createProgram()
try {
  await program.parseAsync()
} catch (error) {
  process.exitCode = exitCodeOf(error)
}

function exitCodeOf(error: unknown): number {
  const isJson = process.argv.includes('--json')
  const tell = (message: string) => console.log(JSON.stringify({ ok: false, error: message }))
  // Commander has written what it has to say to people, be it the help that was asked for or what is wrong.
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return 0
    if (isJson) tell(error.message)
    return USAGE
  }
  const { message, isUsage } = explain(error)
  if (isJson) tell(message)
  else console.error(`gator: ${message}`)
  return isUsage ? USAGE : FAILED
}
