import { afterAll, describe, expect, it } from '@jest/globals'
import { onEachDatabase } from '../support/databases.js'
import { aPersona } from './a-persona.js'
import type { Answer, Connection, PersonaBody } from './connection.js'
import { Sandbox } from './sandbox.js'

const WORKERS = 4
const EDITORS = 8
const EDITS_PER_EDITOR = 25
/** An editor goes on with what it has read for so many edits: most are made from an older version. */
const EDITS_PER_READ = 3
const FIELDS = ['name', 'appearance', 'personality', 'base_appearance_description', 'base_image_path'] as const

type Field = (typeof FIELDS)[number]

interface EditMade {
  /** What the editor had before its eyes. */
  readonly seen: PersonaBody
  readonly changes: Partial<Record<Field, string>>
  readonly answer: Answer
}

/** Changes one or two fields at a time, each to a value that nobody else writes. */
async function editAway(connection: Connection, id: string, editor: number): Promise<EditMade[]> {
  const made: EditMade[] = []
  let read = await connection.read(id)
  for (let n = 0; n < EDITS_PER_EDITOR; n++) {
    if (n % EDITS_PER_READ === 0) read = await connection.read(id)
    const fields = [FIELDS[(editor + n) % FIELDS.length], FIELDS[(editor * n) % FIELDS.length]] as Field[]
    const changes = Object.fromEntries(fields.map((field) => [field, `editor ${editor}, edit ${n} of ${field}`]))
    const headers = { 'if-match': String(read.headers.etag), 'x-actor': `editor ${editor}` }
    const method = n % 2 === 0 ? 'PUT' : 'PATCH'
    const answer = await connection.request(method, `/api/v1/personas/${id}`, { body: changes, headers })
    made.push({ seen: read.body, changes, answer })
  }
  return made
}

onEachDatabase((kind) => {
  describe('eight editors on four workers', () => {
    const sandbox = new Sandbox(kind)
    afterAll(() => sandbox.clear())

    it('never overwrite what they have not seen, and lose nothing that was acknowledged', async () => {
      const server = await sandbox.start({ workers: WORKERS })
      const workers = await sandbox.connectToEachWorker(server, WORKERS)
      const [first] = workers as [Connection, ...Connection[]]
      const created = (await first.create(aPersona())).body
      const editors = Array.from({ length: EDITORS }, (_value, n) => workers[n % WORKERS] as Connection)
      const made = (await Promise.all(editors.map((editor, n) => editAway(editor, created.id, n)))).flat()

      const acknowledged = made
        .filter(({ answer }) => answer.status === 200)
        .sort((a, b) => a.answer.body.version - b.answer.body.version)
      const refused = made.filter(({ answer }) => answer.status === 412)
      const merged = acknowledged.filter(({ answer }) => answer.headers['x-merged-base'] !== undefined)
      expect(acknowledged.length + refused.length).toBe(made.length)
      // Without any of these this run would have shown nothing.
      expect(Math.min(refused.length, merged.length, acknowledged.length - merged.length)).toBeGreaterThan(0)

      // Played again in the order of their versions, each replaces what its editor had seen, and nothing else.
      let state: PersonaBody = created
      for (const { seen, changes, answer } of acknowledged) {
        for (const field of Object.keys(changes)) expect([field, seen[field]]).toEqual([field, state[field]])
        expect(answer.headers['x-merged-base']).toBe(seen.version === state.version ? undefined : String(seen.version))
        state = { ...state, ...changes, version: state.version + 1, updated_at: answer.body['updated_at'] }
        expect(answer.body).toEqual(state)
      }
      for (const worker of workers) expect((await worker.read(created.id)).body).toEqual(state)

      for (const { seen, changes, answer } of refused) {
        const conflicts = answer.body['conflicts'] as Record<'pointer' | 'base' | 'current' | 'requested', string>[]
        expect(conflicts.length).toBeGreaterThan(0)
        for (const { pointer, base, current, requested } of conflicts) {
          const field = pointer.slice(1) as Field
          expect([base, requested]).toEqual([seen[field], changes[field]])
          expect(current).not.toBe(base)
        }
      }
      await expectHistoryOf(first, created, acknowledged)
    })
  })
})

/** The history tells the same, from the newest on. */
async function expectHistoryOf(connection: Connection, { id }: PersonaBody, edits: readonly EditMade[]): Promise<void> {
  const { body } = await connection.request('GET', `/api/v1/personas/${id}/revisions?limit=100`)
  const revisions = body as unknown as Record<string, unknown>[]
  const expected = edits.slice(-revisions.length).reverse()
  for (const [n, { changes, answer }] of expected.entries()) {
    expect(revisions[n]).toMatchObject({
      version: answer.body.version,
      changed: expect.arrayContaining(Object.keys(changes)),
      actor: Object.values(changes)[0]?.split(',')[0],
      request_id: answer.headers['x-request-id'],
      worker: answer.worker,
    })
  }
}
