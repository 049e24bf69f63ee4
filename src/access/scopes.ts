/** What a key may be good for. Each stands for itself: none includes another. */
export const SCOPES = ['personas:read', 'personas:write', 'metrics:read', 'admin'] as const
export type Scope = (typeof SCOPES)[number]

/** What a route asks for: a scope; nothing (`open`); or nothing, and nothing is counted either (`probe`, for orchestrators). */
export type Access = Scope | 'open' | 'probe'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** A route without it is refused to everybody. */
    access?: Access
  }
}
