export interface Answer {
  readonly status: number
  readonly head: string
  readonly body: Buffer
}

export function readAnswer(received: Buffer): Answer | undefined
