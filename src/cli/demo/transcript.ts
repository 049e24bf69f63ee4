const ACTION_WIDTH = 9
const TEXT_WIDTH = 52

/** Writes a line of the transcript. */
export function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

/** A step that did what it should, as one line. */
export function done(action: string, what: string, worker: number | string, result: string): string {
  return `✓ ${action.padEnd(ACTION_WIDTH)}${what.padEnd(TEXT_WIDTH)}worker ${worker}  ${result}`
}

/** Why the demo failed. */
export function failed(reason: string): string {
  return `✗ ${reason}`
}
