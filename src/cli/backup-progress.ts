import type { BackupProgress } from '../backup/messages.js'
import type { Output, Progress } from './output.js'

const TITLES: Readonly<Record<BackupProgress['phase'], string>> = {
  copying: 'Copying (MiB)',
  checking: 'Checking',
  hashing: 'Hashing (MiB)',
}
const MIB = 1_048_576

/** Shows the phases of a backup, a verification or a restore, one bar after the other. */
export class BackupBars {
  #phase: BackupProgress['phase'] | undefined
  #bar: Progress | undefined

  constructor(private readonly output: Output) {}

  readonly show = ({ phase, done, total }: BackupProgress): void => {
    const inUnits = (value: number) => (phase === 'checking' ? value : Math.ceil(value / MIB))
    if (phase !== this.#phase) {
      this.stop()
      this.#bar = this.output.progress(TITLES[phase], inUnits(total))
      this.#phase = phase
    }
    this.#bar?.update(inUnits(done))
  }

  stop(): void {
    this.#bar?.stop()
    this.#bar = undefined
  }
}
