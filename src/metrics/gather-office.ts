import { type GatherAnswer, type Gathered, isGatherRequest, type Part } from './gather-messages.js'
import { addUp, type Snapshot, withoutGauges } from './snapshot.js'
import type { RootMetrics } from './root-metrics.js'

/** A worker as the office sees it: what `cluster.fork` answers. */
export interface GatherPeer {
  send(message: GatherAnswer, callback: (error: Error | null) => void): boolean
  on(event: 'message', listener: (message: unknown) => void): unknown
  once(event: 'exit', listener: () => void): unknown
}

interface Desk {
  /** What it said last. */
  readonly last: Map<Gathered, string>
  /** What it was asked for and has not answered yet. */
  readonly asked: Map<Gathered, () => void>
}

// A part takes a worker a few milliseconds; one that needs longer is stopped or stuck, and the others' are not kept back.
const PATIENCE_MS = 1_000

/**
 * Collects the parts of all workers for the one that asks. What a worker had counted stays when it is gone, as far as it
 * has said so: a sum that drops would look like a restart of everything.
 */
export class GatherOffice {
  readonly #desks = new Map<GatherPeer, Desk>()
  readonly #underWay = new Map<Gathered, Promise<readonly Part[]>>()
  #departed: Promise<Snapshot> = Promise.resolve([])

  /** @param root the primary's own part */
  constructor(
    private readonly root: RootMetrics,
    private readonly patienceMs = PATIENCE_MS,
  ) {}

  /** Serves a worker, and asks it, until it is gone. */
  attach(peer: GatherPeer): void {
    const desk: Desk = { last: new Map(), asked: new Map() }
    this.#desks.set(peer, desk)
    peer.on('message', (message) => {
      if (!isGatherRequest(message)) return
      const { what } = message
      if (message.gator === 'gather-ask') {
        // Whoever is not answered says after a while that the primary is silent.
        this.gather(what).then(
          (parts) => tell(peer, { gator: 'gather-all', what, parts }),
          () => undefined,
        )
        return
      }
      desk.last.set(what, message.json)
      desk.asked.get(what)?.()
    })
    peer.once('exit', () => this.#forget(peer, desk))
  }

  /** Everybody's parts, this process' included. Whoever asks while they are being collected gets the same. */
  gather(what: Gathered): Promise<readonly Part[]> {
    const underWay = this.#underWay.get(what)
    if (underWay) return underWay
    const parts = this.#collect(what).finally(() => this.#underWay.delete(what))
    this.#underWay.set(what, parts)
    return parts
  }

  async #collect(what: Gathered): Promise<readonly Part[]> {
    const isCurrent = await this.#askAll(what)
    const parts: Part[] = []
    for (const [peer, { last }] of this.#desks) {
      const json = last.get(what)
      if (json !== undefined) parts.push({ json, isCurrent: isCurrent.has(peer) })
    }
    if (what !== 'metrics') return parts
    this.root.workersAnswered(isCurrent.size)
    parts.push({ json: JSON.stringify(await this.#departed), isCurrent: false })
    parts.push({ json: JSON.stringify(await this.root.snapshot()), isCurrent: true })
    return parts
  }

  async #askAll(what: Gathered): Promise<ReadonlySet<GatherPeer>> {
    const current = new Set<GatherPeer>()
    let timer: NodeJS.Timeout | undefined
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, this.patienceMs)
    })
    // One that starts has said nothing yet, and does not hear either.
    const ready = [...this.#desks].filter(([, { last }]) => last.has(what))
    const answers = ready.map(
      ([peer, { asked }]) =>
        new Promise<void>((resolve) => {
          // One that has not answered yet is not asked again: what it does not read piles up.
          const isAsked = asked.has(what)
          asked.set(what, () => {
            asked.delete(what)
            if (this.#desks.has(peer)) current.add(peer)
            resolve()
          })
          if (!isAsked) tell(peer, { gator: 'gather-want', what })
        }),
    )
    await Promise.race([Promise.all(answers), patience])
    clearTimeout(timer)
    return new Set(current)
  }

  #forget(peer: GatherPeer, { last, asked }: Desk): void {
    this.#desks.delete(peer)
    for (const answer of asked.values()) answer()
    const json = last.get('metrics')
    if (json === undefined) return
    this.#departed = this.#departed.then((before) => addUp([before, withoutGauges(JSON.parse(json) as Snapshot)]))
  }
}

// A worker that is just ending cannot be told; its end is noticed.
function tell(peer: GatherPeer, message: GatherAnswer): void {
  peer.send(message, () => undefined)
}
