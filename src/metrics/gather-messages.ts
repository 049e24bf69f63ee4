/** What is gathered from all workers. */
export const GATHERED = ['metrics', 'contention'] as const
export type Gathered = (typeof GATHERED)[number]

/** One process' part, as JSON: only whoever asked reads it. */
export interface Part {
  readonly json: string
  /** False for what a worker said earlier, which is gone now or does not answer. */
  readonly isCurrent: boolean
}

/** What a worker tells the primary: that it wants everybody's parts, or its own part. */
export type GatherRequest =
  | { readonly gator: 'gather-ask'; readonly what: Gathered }
  | { readonly gator: 'gather-part'; readonly what: Gathered; readonly json: string }

/** What the primary tells a worker: that it wants its part, or everybody's. */
export type GatherAnswer =
  | { readonly gator: 'gather-want'; readonly what: Gathered }
  | { readonly gator: 'gather-all'; readonly what: Gathered; readonly parts: readonly Part[] }

export function isGatherRequest(message: unknown): message is GatherRequest {
  return hasKind(message, ['gather-ask', 'gather-part'])
}

export function isGatherAnswer(message: unknown): message is GatherAnswer {
  return hasKind(message, ['gather-want', 'gather-all'])
}

// Other messages travel on the same channel.
function hasKind(message: unknown, kinds: readonly string[]): boolean {
  if (typeof message !== 'object' || message === null || !('gator' in message)) return false
  return kinds.some((kind) => kind === message.gator)
}
