import { assertAnswer, DifferenceError } from './compare.js'
import type { DemoAnswer, DemoConnection, PersonaJson } from './connection.js'
import { done } from './transcript.js'

const PERSONAS = '/api/v1/personas/'
const UPDATES_PER_WORKER = 3
const FIRST_THEMES = ['artificial intelligence', 'startups', 'open source', 'robotics', 'women in tech']
const MORE_THEMES = [...FIRST_THEMES, 'quantum computing', 'ethics of technology']

const SARAH = {
  name: 'Tech Innovator Sarah',
  appearance: 'A woman in her thirties with short dark hair, round glasses and a blazer over a band T-shirt',
  personality: 'Curious, precise and optimistic; explains hard things in simple words',
  content_themes: FIRST_THEMES,
}

type Workers = readonly DemoConnection[]
type Say = (line: string) => void

/**
 * Plays the demo on one connection a worker and says a line a step.
 * @throws Error when a step fails, DifferenceError when an answer is not what every step before it makes it
 */
export async function play(workers: Workers, say: Say): Promise<void> {
  const created = await create(at(workers, 0), say)
  const updated = await update(at(workers, 1), created, say)
  const counted = await countTwoGenerations(workers, updated, say)
  await readFromAll(workers, counted, '7 themes and 2 generations', say)
  const final = await updateFromAllAtOnce(workers, counted, say)
  await readFromAll(workers, final, 'all that was acknowledged', say)
  const versions = `version ${String(final['version'])}`
  say(`\nAll ${workers.length} workers see the same final state: ${versions}, and every acknowledged update is in it.`)
}

async function create(connection: DemoConnection, say: Say): Promise<PersonaJson> {
  const answer = await connection.send('POST', PERSONAS, SARAH)
  const { body } = answer
  assertAnswer('create', answer, connection.worker, { ...body, ...SARAH, version: 1, generation_count: 0 })
  say(done('create', `"${SARAH.name}" with ${FIRST_THEMES.length} themes`, connection.worker, etagText(answer)))
  return body
}

async function update(connection: DemoConnection, before: PersonaJson, say: Say): Promise<PersonaJson> {
  const change = { content_themes: MORE_THEMES }
  const answer = await connection.send('PUT', pathOf(before), change)
  assertAnswer('update', answer, connection.worker, { ...following(before, answer, 1), ...change })
  say(done('update', `to ${MORE_THEMES.length} themes`, connection.worker, etagText(answer)))
  return answer.body
}

async function countTwoGenerations(workers: Workers, before: PersonaJson, say: Say): Promise<PersonaJson> {
  let current = before
  for (const [index, which] of ['first', 'second'].entries()) {
    const connection = at(workers, (index + 2) % workers.length)
    const answer = await connection.send('POST', `${pathOf(before)}/generations`, {})
    assertAnswer('count', answer, connection.worker, { ...before, generation_count: index + 1 })
    say(done('count', `the ${which} generation`, connection.worker, etagText(answer)))
    current = answer.body
  }
  return current
}

async function readFromAll(workers: Workers, expected: PersonaJson, what: string, say: Say): Promise<void> {
  for (const connection of workers) {
    const answer = await connection.send('GET', pathOf(expected))
    assertAnswer('read', answer, connection.worker, expected)
    say(done('read', what, connection.worker, etagText(answer)))
  }
}

/** Each update adds a note of its own, so that a lost one is missing in the end. Answers the state after all of them. */
async function updateFromAllAtOnce(workers: Workers, before: PersonaJson, say: Say): Promise<PersonaJson> {
  const updates = workers.flatMap((connection) =>
    Array.from({ length: UPDATES_PER_WORKER }, async (_value, index) => {
      const note = { [`worker ${connection.worker}, update ${index + 1}`]: 'acknowledged' }
      const answer = await connection.send('PATCH', pathOf(before), { style_preferences: note })
      return { answer, note, worker: connection.worker }
    }),
  )
  const inOrder = (await Promise.all(updates)).sort((a, b) => versionOf(a.answer) - versionOf(b.answer))
  let current = before
  for (const { answer, note, worker } of inOrder) {
    const notes = { ...(current['style_preferences'] as object), ...note }
    const expected = { ...following(current, answer, 1), style_preferences: notes }
    assertAnswer('updates at once', answer, worker, expected)
    current = expected
  }
  const range = `versions ${versionOf(inOrder[0]?.answer)} to ${versionOf(inOrder.at(-1)?.answer)}`
  const names = workers.map(({ worker }) => worker).join(', ')
  say(done('updates', `${inOrder.length} at once, all acknowledged, each one version`, names, range))
  return current
}

/** A persona after some changes, with the one field that only the server can know. */
function following(before: PersonaJson, { body }: DemoAnswer, changes: number): PersonaJson {
  return { ...before, version: Number(before['version']) + changes, updated_at: body['updated_at'] }
}

function versionOf(answer: DemoAnswer | undefined): number {
  return Number(answer?.body['version'])
}

function pathOf(persona: PersonaJson): string {
  return PERSONAS + String(persona['id'])
}

function etagText(answer: DemoAnswer): string {
  return `ETag ${answer.etag}`
}

function at(workers: Workers, index: number): DemoConnection {
  const connection = workers[index % workers.length]
  if (!connection) throw new DifferenceError('There is no worker to talk to.')
  return connection
}
