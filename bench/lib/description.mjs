import { fixed, round } from './report.mjs'

const MS_PER_SECOND = 1_000
const COMMIT_DIGITS = 10

/** What a reader must know of a run beside its figures, in a paragraph each: where, how, and whether it was right. */
export function describeRun(result) {
  return [describeMachine(result), describePlan(result), describeLoad(result), describeSeeding(result)].join('\n\n')
}

function describeMachine({ startedAt, minutes, machine }) {
  const { cpu, cores, node, sqlite, packages, commit, hasUncommittedChanges } = machine
  const versions = [
    `Node ${node}`,
    `SQLite ${sqlite}`,
    ...['@prisma/client', 'fastify', '@nestjs/core'].map((name) => `${name} ${packages[name]}`),
  ]
  const day = new Date(startedAt).toISOString().slice(0, 10)
  const state = `commit ${commit.slice(0, COMMIT_DIGITS)}${hasUncommittedChanges ? ' with changes' : ''}`
  return `${day}, ${fixed(minutes)} minutes, ${cores} cores (${cpu}), ${versions.join(', ')}; ${state}.`
}

function describePlan({ plan: { connections, starts, windowMs, leadMs, warmUpMs } }) {
  const [window, lead, warmUp] = [windowMs, leadMs, warmUpMs].map((ms) => `${ms / MS_PER_SECOND} s`)
  return `${connections} connections; starts of each: ${starts}, with ${warmUp} to warm up, then each route for ${window} after ${lead} that do not count.`
}

function describeLoad({ measurements }) {
  const sum = (name) => measurements.reduce((total, each) => total + (each[name] ?? 0), 0)
  const busiest = Math.max(...measurements.map(({ loadShare }) => loadShare))
  return (
    `${round(sum('requests'))} answers and ${round(sum('readBack'))} rows that were read back: ${round(sum('wrong'))} were wrong. ` +
    `The load used ${round(busiest * 100)}% of a core at most.`
  )
}

function describeSeeding({ seeding }) {
  const made = seeding.map(({ kind, personas, seconds }) => `${round(personas)} in ${kind} ${fixed(seconds)} s`)
  return `Personas made before: ${made.join(', ') || 'none, they were there'}.`
}
