/** An error as it is logged. What a driver adds to its errors (the row that broke a constraint) is left out. */
export interface LoggedError {
  readonly type: string
  readonly message: string
  readonly code?: string
  readonly stack?: string
  readonly cause?: LoggedError
}

/** Takes from an error what helps to find its cause, and nothing that a client has sent. */
export function errorForLog(error: unknown): LoggedError {
  if (typeof error !== 'object' || error === null) return { type: typeof error, message: String(error) }
  const text = (name: string): string | undefined => {
    const value: unknown = Reflect.get(error, name)
    return typeof value === 'string' ? value : undefined
  }
  const code = text('code')
  const stack = text('stack')
  const cause: unknown = Reflect.get(error, 'cause')
  return {
    type: error.constructor.name,
    message: text('message') ?? '',
    ...(code !== undefined && { code }),
    ...(stack !== undefined && { stack }),
    ...(cause instanceof Error && { cause: errorForLog(cause) }),
  }
}
