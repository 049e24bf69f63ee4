import TestRunner from 'jest-runner'

/** Runs its suites one after another, and nothing else beside them: Jest finishes one runner before the next. */
export default class SerialRunner extends TestRunner {
  isSerial = true
}
