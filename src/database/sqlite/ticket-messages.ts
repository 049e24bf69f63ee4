import type { LockHolder } from './observer.js'

/** What a worker tells the ticket office. `id` is the worker's own number for one ask. */
export type TicketRequest =
  | { readonly gator: 'ticket-ask'; readonly id: number }
  | { readonly gator: 'ticket-done'; readonly id: number }
  | { readonly gator: 'ticket-ping' }
  | { readonly gator: 'ticket-alive' }

/** What the ticket office tells a worker; with its turn, whose it waited for, if that was long. */
export type TicketAnswer =
  | { readonly gator: 'ticket-go'; readonly id: number; readonly heldBy?: LockHolder | undefined }
  | { readonly gator: 'ticket-pong' }
  | { readonly gator: 'ticket-are-you-alive' }

export function isTicketRequest(message: unknown): message is TicketRequest {
  return hasKind(message, ['ticket-ask', 'ticket-done', 'ticket-ping', 'ticket-alive'])
}

export function isTicketAnswer(message: unknown): message is TicketAnswer {
  return hasKind(message, ['ticket-go', 'ticket-pong', 'ticket-are-you-alive'])
}

// Other messages travel on the same channel.
function hasKind(message: unknown, kinds: readonly string[]): boolean {
  if (typeof message !== 'object' || message === null || !('gator' in message)) return false
  return kinds.some((kind) => kind === message.gator)
}
