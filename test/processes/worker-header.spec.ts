import { afterAll, describe, expect, it } from '@jest/globals'
import { onEachDatabase } from '../support/databases.js'
import type { Connection } from './connection.js'
import { Sandbox } from './sandbox.js'

const NOBODY = '/api/v1/personas/00000000-0000-7000-8000-000000000000'

interface Case {
  readonly method: string
  readonly path: string
  readonly status: number
  readonly body?: unknown
}

const cases: readonly Case[] = [
  { method: 'GET', path: '/', status: 200 },
  { method: 'GET', path: '/health', status: 200 },
  { method: 'GET', path: '/openapi.json', status: 200 },
  { method: 'GET', path: '/nowhere', status: 404 },
  { method: 'GET', path: NOBODY, status: 404 },
  { method: 'GET', path: '/%ff', status: 400 },
  { method: 'PUT', path: NOBODY, status: 422, body: { name: 7 } },
  { method: 'POST', path: NOBODY, status: 405 },
]

function ask(connection: Connection): Promise<{ status: number; worker: number | undefined }[]> {
  return Promise.all(
    cases.map(async ({ method, path, body }) => {
      const { status, worker } = await connection.request(method, path, { body })
      return { status, worker }
    }),
  )
}

onEachDatabase((kind) => {
  describe('X-Worker', () => {
    const sandbox = new Sandbox(kind)
    afterAll(() => sandbox.clear())

    it('stands on every answer of a cluster, errors included, and on none of a single process', async () => {
      const [cluster, single] = await Promise.all([sandbox.start({ workers: 2 }), sandbox.start()])
      const slots = await sandbox.connectToEachWorker(cluster, 2)
      for (const [index, connection] of slots.entries()) {
        expect(await ask(connection)).toEqual(cases.map(({ status }) => ({ status, worker: index + 1 })))
      }
      const alone = await ask(sandbox.connect(single))
      expect(alone).toEqual(cases.map(({ status }) => ({ status, worker: undefined })))
    })
  })
})
