import { Counter, Gauge, type Registry } from 'prom-client'
import { RESET_REASONS, type ResetReason } from '../personas/changes/change.js'
import { ChangeObserver } from '../personas/changes/change-observer.js'
import { counter } from './sqlite-metrics.js'

/** What the change streams of one process tell. Made once a registry. */
export class ChangeMetrics extends ChangeObserver {
  readonly #listeners: Gauge
  readonly #events: Counter
  readonly #resets: Counter<'reason'>

  constructor(registry: Registry) {
    super()
    const registers = [registry]
    this.#listeners = new Gauge({
      name: 'gator_event_listeners',
      help: 'Clients that listen to the change stream.',
      registers,
    })
    this.#events = new Counter({
      name: 'gator_events_sent_total',
      help: 'Events of the change stream that were handed to a listener; one for each that gets it.',
      registers,
    })
    this.#resets = counter(
      registry,
      'gator_event_resets_total',
      'Times that a listener was told that it cannot go on where it was, by reason.',
      'reason',
      RESET_REASONS,
    )
  }

  override onListeners(count: number): void {
    this.#listeners.set(count)
  }

  override onEvents(count: number): void {
    this.#events.inc(count)
  }

  override onReset(reason: ResetReason): void {
    this.#resets.inc({ reason })
  }
}
