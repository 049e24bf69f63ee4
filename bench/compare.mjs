// `npm run bench:compare -- a.json b.json`: two results of `npm run bench` side by side.
import { readFileSync } from 'node:fs'
import { program } from 'commander'
import { compare } from './lib/comparison.mjs'
import { summarize } from './lib/figures.mjs'
import { tableOfComparison } from './lib/table.mjs'

const [first, second] = program
  .name('npm run bench:compare --')
  .description('Compares two results cell by cell, by the ratio to the constant route of the same start.')
  .argument('<first>', 'a file that npm run bench has written')
  .argument('<second>', 'another one')
  .parse()
  .args.map(cellsOf)

console.log(tableOfComparison(compare(first, second)))

function cellsOf(path) {
  try {
    return summarize(JSON.parse(readFileSync(path, 'utf8')).measurements)
  } catch (error) {
    return program.error(`${path} is not a result of npm run bench: ${error.message}`)
  }
}
