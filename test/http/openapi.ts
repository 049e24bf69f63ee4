import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import type { TestApp } from './support.js'

export interface MediaType {
  readonly schema?: object
  readonly example?: unknown
}

export interface ResponseObject {
  readonly description: string
  readonly headers?: Readonly<Record<string, { description: string; schema: object }>>
  readonly content?: Readonly<Record<string, MediaType>>
}

export interface Operation {
  readonly operationId: string
  readonly summary?: string
  readonly tags?: readonly string[]
  readonly parameters?: readonly { name: string; in: string; description?: string; schema: object }[]
  readonly requestBody?: { required?: boolean; content: Readonly<Record<string, MediaType>> }
  readonly responses: Readonly<Record<string, ResponseObject>>
}

export interface OpenApi {
  readonly openapi: string
  readonly info: { title: string; version: string }
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { schemas: Readonly<Record<string, object>> }
}

/** An operation with its place in the document. */
export interface Place {
  readonly path: string
  readonly method: string
  readonly operation: Operation
}

export async function readDocument(app: TestApp): Promise<OpenApi> {
  return (await app.get('/openapi.json')).json<OpenApi>()
}

export function operationsOf({ paths }: OpenApi): Place[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  )
}

/** Makes validators of the schemas in a document; headers and parameters arrive as text, so `coerce` reads numbers. */
export class DocumentValidator {
  private readonly ajv: Ajv2020

  constructor(document: OpenApi, options: { coerce?: boolean } = {}) {
    this.ajv = new Ajv2020({ strict: false, allErrors: true, coerceTypes: options.coerce === true })
    addFormats.default(this.ajv)
    this.ajv.addSchema({ ...document, $id: 'openapi' })
  }

  /** The faults of a value, as a text; empty for a good one. */
  faults(schema: object, value: unknown): string {
    const validate: ValidateFunction = this.ajv.compile({ $id: `use-${this.uses++}`, ...rebased(schema) })
    return validate({ value }) ? '' : this.ajv.errorsText(validate.errors)
  }

  private uses = 0
}

// The value is wrapped, so that a text that is coerced can be replaced.
function rebased(schema: object): object {
  const text = JSON.stringify(schema).replaceAll('"#/components/', '"openapi#/components/')
  return { type: 'object', properties: { value: JSON.parse(text) as object } }
}
