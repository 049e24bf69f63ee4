import { beforeAll, describe, expect, it } from '@jest/globals'
import { Validator } from '@seriousme/openapi-schema-validator'
import { packageInfo } from '../../src/package-root.js'
import { DocumentValidator, type MediaType, type OpenApi, operationsOf, readDocument } from './openapi.js'
import { methodsOf, routedPaths } from './routed.js'
import { withApp } from './support.js'

// The document is made of the code, and the same whatever the database: one is enough. parity.spec.ts compares it.
const app = withApp('SQLite')
let document: OpenApi

beforeAll(async () => {
  document = await readDocument(app())
})

describe('/openapi.json', () => {
  it('is JSON', async () => {
    const response = await app().get('/openapi.json')
    expect([response.statusCode, response.headers['content-type']]).toEqual([200, 'application/json; charset=utf-8'])
  })

  it('is a valid OpenAPI 3.1 document of this version', async () => {
    expect(document.openapi).toMatch(/^3\.1\.\d$/)
    expect(document.info).toMatchObject({ title: packageInfo.name, version: packageInfo.version })
    const result = await new Validator().validate({ ...document })
    expect([result.valid, result.errors]).toEqual([true, undefined])
  })

  it('describes the routes that the server has, and no others', async () => {
    // What is served in a format of its own, for people or for Prometheus, is no part of the API, nor what operators ask.
    const paths = routedPaths(app()).filter((path) => !/^\/(docs|openapi\.json|metrics|api\/v1\/admin)/.test(path))
    expect(paths).toContain('/api/v1/personas/:id/generations')
    const served = await Promise.all(
      paths.map(async (path) => [path.replaceAll(/:(\w+)/g, '{$1}'), await methodsOf(app(), path)] as const),
    )
    const described = Object.entries(document.paths).map(([path, methods]) => [path, Object.keys(methods).sort()])
    expect(Object.fromEntries(described)).toEqual(Object.fromEntries(served))
  })

  it('gives every operation an id of its own, a summary, a tag and described parameters', () => {
    const operations = operationsOf(document).map(({ operation }) => operation)
    const ids = operations.map(({ operationId }) => operationId)
    expect(new Set(ids).size).toBe(ids.length)
    for (const { operationId, summary, tags, parameters = [] } of operations) {
      expect(operationId).toMatch(/^[a-z]+[A-Z][A-Za-z]+$/)
      expect(summary).toMatch(/^[A-Z].{5,}/)
      expect(tags).toHaveLength(1)
      for (const { description } of parameters) expect(description).toMatch(/.{5,}/)
    }
  })

  it('gives every answer a description and the headers that every answer has', () => {
    for (const { operation } of operationsOf(document)) {
      for (const { description, headers } of Object.values(operation.responses)) {
        expect(description).toMatch(/.{5,}/)
        expect(Object.keys(headers ?? {})).toEqual(expect.arrayContaining(['X-Request-Id', 'X-Worker']))
      }
    }
  })

  it('gives every body a schema', () => {
    const bodies = operationsOf(document).flatMap(({ operation }) => [
      ...Object.values(operation.requestBody?.content ?? {}),
      ...Object.values(operation.responses).flatMap(({ content }) => Object.values(content ?? {})),
    ])
    expect(bodies.length).toBeGreaterThan(50)
    for (const { schema } of bodies) expect(Object.keys(schema ?? {})).not.toEqual([])
  })

  it('takes a merge patch on PATCH alone', () => {
    const types = operationsOf(document)
      .filter(({ operation }) => operation.requestBody)
      .map(({ operation }) => [operation.operationId, Object.keys(operation.requestBody?.content ?? {})])
    expect(Object.fromEntries(types)).toEqual({
      createPersona: ['application/json'],
      updatePersona: ['application/json'],
      patchPersona: ['application/merge-patch+json', 'application/json'],
      countGenerations: ['application/json'],
      writeBatch: ['application/json'],
    })
  })

  it('shows an example of every problem, of the status that it stands for', () => {
    for (const { operation } of operationsOf(document)) {
      for (const [status, { content = {} }] of Object.entries(operation.responses)) {
        if (Number(status) < 400 || operation.tags?.[0] === 'health') continue
        expect(Object.keys(content)).toEqual(['application/problem+json'])
        expect(content['application/problem+json']?.example).toMatchObject({
          status: Number(status),
          instance: expect.stringMatching(/^\/api/),
        })
      }
    }
  })

  it('has examples that their own schemas accept', () => {
    const validator = new DocumentValidator(document)
    const examples = [...examplesIn(document)]
    expect(examples.length).toBeGreaterThan(150)
    const faults = examples.map(([place, schema, example]) => [place, validator.faults(schema, example)])
    expect(faults.filter(([, fault]) => fault !== '')).toEqual([])
  })
})

type Example = [place: string, schema: object, example: unknown]

/** Every example in the document: of a media type, and of any schema. */
function* examplesIn(node: unknown, place = ''): Generator<Example> {
  if (typeof node !== 'object' || node === null) return
  const { schema, example, type, anyOf } = node as MediaType & { type?: unknown; anyOf?: unknown }
  if (example !== undefined) {
    const isSchema = type !== undefined || anyOf !== undefined || '$ref' in node
    if (schema !== undefined || isSchema) yield [place, schema ?? node, example]
    else yield [place, { not: {} }, example]
  }
  for (const [key, child] of Object.entries(node)) if (key !== 'example') yield* examplesIn(child, `${place}/${key}`)
}

describe('/docs', () => {
  it('is a page whose parts all come from this server', async () => {
    const page = await app().get('/docs')
    expect([page.statusCode, page.headers['content-type']]).toEqual([200, expect.stringContaining('text/html')])
    const links = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, link = '']) => link)
    const urls = links.filter((link) => !link.startsWith('#')).map((link) => new URL(link, 'http://here/docs'))
    expect(urls.filter(({ pathname }) => pathname.endsWith('.js')).length).toBeGreaterThanOrEqual(2)
    expect(urls.filter(({ pathname }) => pathname.endsWith('.css'))).toHaveLength(1)
    for (const { host, pathname } of urls) {
      expect(host).toBe('here')
      const asset = await app().get(pathname)
      expect([pathname, asset.statusCode]).toEqual([pathname, 200])
      expect(asset.rawPayload.length).toBeGreaterThan(100)
    }
  })

  it('is the same page with a trailing slash: its parts load from there too', async () => {
    const page = await app().get('/docs/')
    const links = [...page.body.matchAll(/(?:src|href)="([^"#]+)"/g)].map(([, link = '']) => link)
    expect(links.length).toBeGreaterThan(3)
    for (const link of links) {
      expect((await app().get(new URL(link, 'http://here/docs/').pathname)).statusCode).toBe(200)
    }
  })

  it('shows the document of this server', async () => {
    const script = await app().get('/docs/swagger-ui-init.js')
    expect(script.headers['content-type']).toContain('javascript')
    for (const { operation } of operationsOf(document)) expect(script.body).toContain(`"${operation.operationId}"`)
    expect(script.body).not.toMatch(/https?:\/\/(?!localhost)[^"\s]*\.(js|css)/)
  })
})
