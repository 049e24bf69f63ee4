/**
 * A fault that its message explains to a person: it is printed as it stands, without a stack.
 */
export class Failure extends Error {}

/**
 * Runs a script's body. A Failure is printed in plain words; anything else is a defect of the scripts and keeps its
 * stack. Either way the process ends with a code that is not zero.
 * @param {() => Promise<void>} body
 */
export async function main(body) {
  try {
    await body()
  } catch (error) {
    console.error(error instanceof Failure ? `gator: ${error.message}` : error)
    process.exitCode = 1
  }
}
