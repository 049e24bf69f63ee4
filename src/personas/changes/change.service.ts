import { Injectable } from '@nestjs/common'
import { positionOf } from './change-id.js'
import { type Change, type Position, reasonToReset, type ResetReason } from './change.js'
import { ChangeSource, PAGE_CHANGES, positionAfter } from './change-source.js'

/** An answer is not to take the memory of a process: beyond this it has fewer changes than were asked for. */
const MAX_ANSWER_BYTES = 1_048_576

export interface ChangesSince {
  readonly changes: readonly Change[]
  /** Where to go on. */
  readonly next: Position
  readonly hasMore: boolean
  readonly reset: ResetReason | null
}

/** What has changed, for those who ask. */
@Injectable()
export class ChangeService {
  constructor(private readonly source: ChangeSource) {}

  /** The changes after an id, or none, and the present; the present also for an id from which nobody can go on. */
  async since(id: string | undefined, limit: number): Promise<ChangesSince> {
    const start = id === undefined ? undefined : positionOf(id)
    if (!start) return this.#nothing(start === null ? 'unknown-id' : null)
    const noWay = await this.source.reasonToReset(start)
    if (noWay) return this.#nothing(noWay)
    const changes: Change[] = []
    let next = start
    for (let bytes = 0; ;) {
      const page = await this.source.page({ after: next.seq, limit: Math.min(PAGE_CHANGES, limit - changes.length) })
      const reason = reasonToReset(next, page.extent)
      if (reason) return this.#nothing(reason)
      changes.push(...page.changes)
      bytes += page.bytes
      next = positionAfter(next, page)
      const isFull = changes.length >= limit || bytes >= MAX_ANSWER_BYTES
      if (page.isLast || isFull) return { changes, next, hasMore: !page.isLast, reset: null }
    }
  }

  async #nothing(reset: ResetReason | null): Promise<ChangesSince> {
    return { changes: [], next: await this.source.present(), hasMore: false, reset }
  }
}
