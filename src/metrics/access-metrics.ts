import { Counter, type Registry } from 'prom-client'
import { ACCESS_REFUSALS, type AccessRefusal } from '../access/access.errors.js'

/** Who was refused for who they are, and not for what they asked. */
export class AccessMetrics {
  readonly #refused: Counter<'reason'>

  constructor(registry: Registry) {
    this.#refused = new Counter({
      name: 'gator_access_refused_total',
      help: 'Requests that were refused for their key, host, origin, address or number, by reason.',
      labelNames: ['reason'],
      registers: [registry],
    })
    for (const reason of ACCESS_REFUSALS) this.#refused.inc({ reason }, 0)
  }

  refused(reason: AccessRefusal): void {
    this.#refused.inc({ reason })
  }
}
