/** What came of looking at one thing. Yellow works, but endangers something; red does not work, or loses data. */
export interface Finding {
  readonly about: string
  readonly level: 'green' | 'yellow' | 'red'
  readonly what: string
  /** What to do about it; for green there is nothing. */
  readonly advice?: string
}

/** One thing to look at. What it throws is a red finding. */
export interface Check {
  readonly about: string
  readonly run: () => Outcome | Promise<Outcome>
}

export type Outcome = Omit<Finding, 'about'>

export const green = (what: string): Outcome => ({ level: 'green', what })
export const yellow = (what: string, advice: string): Outcome => ({ level: 'yellow', what, advice })
export const red = (what: string, advice: string): Outcome => ({ level: 'red', what, advice })

/** Runs checks one after another. @param onDone told of each finding */
export async function examine(checks: readonly Check[], onDone: (finding: Finding) => void): Promise<Finding[]> {
  const findings: Finding[] = []
  for (const { about, run } of checks) {
    const finding = { about, ...(await outcomeOf(run)) }
    findings.push(finding)
    onDone(finding)
  }
  return findings
}

async function outcomeOf(run: Check['run']): Promise<Outcome> {
  try {
    return await run()
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : ''
    const message = error instanceof Error ? error.message || error.name : String(error)
    return red(`could not be looked at: ${message}${code}`, 'See to what it says, then call gator doctor again.')
  }
}
