import { Writable } from 'node:stream'
import { afterAll, beforeAll, expect } from '@jest/globals'
import type { NestFastifyApplication } from '@nestjs/platform-fastify'
import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify'
import { pino } from 'pino'
import { parseSettings } from '../../src/config/settings.js'
import { createApp } from '../../src/create-app.js'
import type { Problem } from '../../src/http/problem.js'
import type { PersonaResource } from '../../src/personas/dto/persona.resource.js'
import { type DatabaseName, databases, type Row, type TestDatabase } from '../support/databases.js'

export const PERSONAS = '/api/v1/personas/'
export const JSON_TYPE = 'application/json'
export const MERGE_PATCH = 'application/merge-patch+json'
/** An id that no persona has. */
export const UNKNOWN_ID = '019aaf3e-8f63-7b12-9d3c-2f1f5d0c8a11'

export type Method = NonNullable<InjectOptions['method']>
type Headers = Readonly<Record<string, string | string[]>>
export type Response = LightMyRequestResponse
export type Fields = Readonly<Record<string, unknown>>

/** A body that creates a persona; give what matters to the test. */
export function aPersona(fields: Fields = {}): Fields {
  return {
    name: 'Tech Innovator Sarah',
    appearance: 'Short silver hair, round glasses, a navy blazer',
    personality: 'Curious, precise and warm; explains with examples',
    ...fields,
  }
}

/** The application, built as `main.ts` does, called without a socket. */
export class TestApp {
  private constructor(
    readonly app: NestFastifyApplication,
    private readonly database: TestDatabase,
    /** What was logged, one object a line. */
    readonly log: Record<string, unknown>[],
  ) {}

  /** Starts it with the default settings but for those given. The database stays its maker's. */
  static async start(
    database: TestDatabase,
    environment: Record<string, string> = {},
    worker?: number,
  ): Promise<TestApp> {
    const settings = parseSettings({ DATABASE_URL: database.url, ...environment }, false)
    const log: Record<string, unknown>[] = []
    const logger = pino({ level: 'info' }, linesInto(log))
    return new TestApp(await createApp({ settings, logger, worker }), database, log)
  }

  get fastify(): FastifyInstance {
    return this.app.getHttpAdapter().getInstance()
  }

  /** Starts to listen on a free port of the loopback, once, and answers the port. */
  async port(): Promise<number> {
    if (!this.app.getHttpServer().listening) await this.app.listen(0, '127.0.0.1')
    return (this.app.getHttpServer().address() as { port: number }).port
  }

  /** Reads the stored row through a connection that the application does not know. */
  async row(id: string): Promise<Row> {
    const [row] = await this.database.query(`SELECT * FROM personas WHERE id = '${id}'`)
    if (!row) throw new Error(`There is no row of ${id}.`)
    return row
  }

  /** Reads a table through such a connection. */
  rows(table: string): Promise<Row[]> {
    return this.database.query(`SELECT * FROM ${table}`)
  }

  /** Changes the database through a connection that the application does not know. */
  async execute(sql: string): Promise<void> {
    await this.database.query(sql)
  }

  close(): Promise<void> {
    return this.app.close()
  }

  send(method: Method, url: string, options: Omit<InjectOptions, 'method' | 'url'> = {}): Promise<Response> {
    return this.fastify.inject({ method, url, ...options })
  }

  get(url: string, headers: Headers = {}): Promise<Response> {
    return this.send('GET', url, { headers })
  }

  /** Sends a value as JSON. */
  sendJson(method: Method, url: string, body: unknown, headers: Headers = {}): Promise<Response> {
    return this.sendText(method, url, JSON.stringify(body), headers)
  }

  /** Sends text, or bytes, as JSON. */
  sendText(method: Method, url: string, payload: string | Buffer, headers: Headers = {}): Promise<Response> {
    return this.send(method, url, { payload, headers: { 'content-type': JSON_TYPE, ...headers } })
  }

  /** Creates a persona and answers it. */
  async create(fields: Fields = {}): Promise<PersonaResource> {
    const response = await this.sendJson('POST', PERSONAS, aPersona(fields))
    expect(response.statusCode).toBe(201)
    return response.json<PersonaResource>()
  }

  /** Reads a persona that must be there. */
  async read(id: string): Promise<PersonaResource> {
    const response = await this.get(PERSONAS + id)
    expect(response.statusCode).toBe(200)
    return response.json<PersonaResource>()
  }
}

/** Starts an application on a database of its own before the tests of the block, and closes it after them. */
export function withApp(kind: DatabaseName, environment: Record<string, string> = {}, worker?: number): () => TestApp {
  let database: TestDatabase | undefined
  let app: TestApp | undefined
  beforeAll(async () => {
    database = await databases[kind]()
    app = await TestApp.start(database, environment, worker)
  })
  afterAll(async () => {
    await app?.close()
    await database?.remove()
  })
  return () => {
    if (!app) throw new Error('the application did not start')
    return app
  }
}

/** An object without some of its properties. */
export function without(object: object, ...names: string[]): Fields {
  return Object.fromEntries(Object.entries(object).filter(([name]) => !names.includes(name)))
}

/** The problem document of an answer, after a look at what every one of them has. */
export function problemOf(response: Response, status: number): Problem {
  expect(response.statusCode).toBe(status)
  expect(response.headers['content-type']).toBe('application/problem+json; charset=utf-8')
  const problem = response.json<Problem>()
  expect(problem).toEqual({
    ...problem,
    status,
    type: expect.stringMatching(/^(about:blank|urn:gator-personas:problem:[a-z-]+)$/),
    title: expect.stringMatching(/^[A-Z]/),
    detail: expect.stringMatching(/./),
    instance: expect.stringMatching(/^[/*]/),
  })
  return problem
}

/** The pointers of a refused document, in the order of the faults. */
export function pointersOf(response: Response): string[] {
  return (problemOf(response, 422).errors ?? []).map(({ pointer }) => pointer)
}

function linesInto(log: Record<string, unknown>[]): Writable {
  return new Writable({
    write(line: Buffer, _encoding, done) {
      log.push(JSON.parse(line.toString('utf8')) as Record<string, unknown>)
      done()
    },
  })
}
