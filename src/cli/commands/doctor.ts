import { Command } from 'commander'
import { loadSettings } from '../../config/environment.js'
import { examine, type Finding } from '../../doctor/check.js'
import { checksOf } from '../../doctor/doctor.js'
import { createOutput } from '../output.js'

/** `gator doctor`: looks at everything that can be wrong, and says what to do about it. */
export function doctorCommand(): Command {
  return new Command('doctor')
    .description('look whether all is well with the database and the settings; exit code 1 when something is red')
    .option('--json', 'print the result as JSON')
    .action(doctor)
}

async function doctor({ json: isJson = false }: { readonly json?: boolean }): Promise<void> {
  const output = createOutput(isJson)
  const checks = checksOf(loadSettings())
  const bar = output.progress('Looking', checks.length)
  let done = 0
  const findings = await examine(checks, () => bar.update(++done)).finally(() => bar.stop())
  const isWell = findings.every(({ level }) => level !== 'red')
  output.result({ ok: isWell, findings }, findings.map(lineOf).join('\n'))
  if (!isWell) process.exitCode = 1
}

function lineOf({ about, level, what, advice }: Finding): string {
  return `${level.padEnd('yellow'.length)}  ${about}: ${what}${advice === undefined ? '' : `\n        → ${advice}`}`
}
