import { Presets, SingleBar } from 'cli-progress'

/** What a command tells: a result for its caller, and on the way there a word or a progress bar for whoever watches. */
export interface Output {
  /** Says what happens, to people alone. */
  say(text: string): void
  /** Shows how far something has come; on a terminal alone. */
  progress(title: string, total: number): Progress
  /** Prints what came of it: the object as a line of JSON, or the text. Once, at the end. */
  result(json: object, text: string): void
}

export interface Progress {
  /** @param done of `total` */
  update(done: number, total?: number): void
  stop(): void
}

const SILENT: Progress = { update: () => undefined, stop: () => undefined }

/** The result goes to standard output, everything else to standard error; with JSON there is the result alone. */
export function createOutput(isJson: boolean): Output {
  const isWatched = process.stderr.isTTY && !isJson
  return {
    say: (text) => {
      if (!isJson) console.error(text)
    },
    progress: (title, total) => (isWatched ? bar(title, total) : SILENT),
    result: (json, text) => console.log(isJson ? JSON.stringify({ ok: true, ...json }) : text),
  }
}

function bar(title: string, total: number): Progress {
  const format = `${title} {bar} {percentage}% | {value} of {total} | {eta_formatted} left`
  const shown = new SingleBar({ format, stream: process.stderr, hideCursor: true }, Presets.shades_classic)
  shown.start(total, 0)
  return {
    update: (done, newTotal) => {
      if (newTotal !== undefined) shown.setTotal(newTotal)
      shown.update(done)
    },
    stop: () => shown.stop(),
  }
}
