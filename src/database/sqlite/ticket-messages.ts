/** What a worker tells the ticket office. `id` is the worker's own number for one ask. */
export type TicketRequest =
  | { readonly gator: 'ticket-ask'; readonly id: number }
  | { readonly gator: 'ticket-done'; readonly id: number }
  | { readonly gator: 'ticket-ping' }

/** What the ticket office tells a worker. */
export type TicketAnswer = { readonly gator: 'ticket-go'; readonly id: number } | { readonly gator: 'ticket-pong' }

export function isTicketRequest(message: unknown): message is TicketRequest {
  return hasKind(message, ['ticket-ask', 'ticket-done', 'ticket-ping'])
}

export function isTicketAnswer(message: unknown): message is TicketAnswer {
  return hasKind(message, ['ticket-go', 'ticket-pong'])
}

// Other messages travel on the same channel.
function hasKind(message: unknown, kinds: readonly string[]): boolean {
  if (typeof message !== 'object' || message === null || !('gator' in message)) return false
  return kinds.some((kind) => kind === message.gator)
}
