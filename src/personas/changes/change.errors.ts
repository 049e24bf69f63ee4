/** As many listen to this worker as may. */
export class TooManyListenersError extends Error {
  override readonly name = 'TooManyListenersError'
  readonly retryAfterSeconds = 1

  constructor() {
    super('This worker takes no more listeners; come again, or ask GET /api/v1/personas/changes.')
  }
}
