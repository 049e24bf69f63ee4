import { Injectable } from '@nestjs/common'
import { positionOf } from './change-id.js'
import { type Change, type Extent, type Position, presentOf, reasonToReset, type ResetReason } from './change.js'
import { type ChangePage, ChangeSource, PAGE_CHANGES } from './change-source.js'

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
    if (!start) return nothing(await this.source.extent(), start === null ? 'unknown-id' : null)
    const changes: Change[] = []
    let page: ChangePage | undefined
    let bytes = 0
    do {
      const after: number = page?.next ?? start.seq
      page = await this.source.page({ after, limit: Math.min(PAGE_CHANGES, limit - changes.length) })
      const reason = reasonToReset({ ...start, seq: after }, page.extent)
      if (reason) return nothing(page.extent, reason)
      changes.push(...page.changes)
      bytes += page.bytes
    } while (!page.isLast && changes.length < limit && bytes < MAX_ANSWER_BYTES)
    return { changes, next: { ...start, seq: page.next }, hasMore: !page.isLast, reset: null }
  }
}

function nothing(extent: Extent, reset: ResetReason | null): ChangesSince {
  return { changes: [], next: presentOf(extent), hasMore: false, reset }
}
