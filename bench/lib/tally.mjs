import { latencies } from './statistics.mjs'

const MS_PER_SECOND = 1_000
const MICROS_PER_MS = 1_000
const LONGEST_FAULT = 1_000

/** What was used until a moment: `at` in milliseconds, all else in microseconds of a processor, undefined if not known. */
/** @typedef {{ at: number, load: number, service?: number, database?: number }} Marks */

/** The answers to one route: all of them are looked at, those between `begin` and `end` are counted. */
export class Tally {
  /** Resolves when so many answers have come as there are connections, each of which has then waited its turn. */
  firstAnswers
  #onFirstAnswers
  #awaited
  #isCounting = false
  #times = []
  #statuses = {}
  #wrong = 0
  #firstWrong
  #begin
  #end

  constructor(connections) {
    this.#awaited = connections
    this.firstAnswers = new Promise((resolve) => {
      this.#onFirstAnswers = resolve
    })
  }

  /** @param {Marks} marks */
  begin(marks) {
    this.#begin = marks
    this.#isCounting = true
  }

  /** @param {Marks} marks */
  end(marks) {
    this.#end = marks
    this.#isCounting = false
  }

  get isOver() {
    return this.#end !== undefined
  }

  /** An answer counts when it comes, whenever its request was sent. */
  answered(status, ms) {
    this.#awaited -= 1
    if (this.#awaited === 0) this.#onFirstAnswers()
    if (!this.#isCounting) return
    this.#times.push(ms)
    this.#statuses[status] = (this.#statuses[status] ?? 0) + 1
  }

  /** An answer, counted or not, that is not what it must be. */
  fault(text) {
    this.#wrong += 1
    this.#firstWrong ??= text.slice(0, LONGEST_FAULT)
  }

  report() {
    const [begin, end, requests] = [this.#begin, this.#end, this.#times.length]
    const ms = end.at - begin.at
    const used = (who) => (begin[who] === undefined ? undefined : (end[who] - begin[who]) / requests)
    const { p50, p99, max } = latencies(this.#times)
    return {
      ...{ requests, perSecond: (requests / ms) * MS_PER_SECOND, p50, p99, max },
      ...{ statuses: this.#statuses, wrong: this.#wrong, firstWrong: this.#firstWrong },
      cpuMicros: used('service'),
      databaseCpuMicros: used('database'),
      /** The share of a core that the load itself has used: near 1, it is what was measured. */
      loadShare: (end.load - begin.load) / (ms * MICROS_PER_MS),
    }
  }
}
