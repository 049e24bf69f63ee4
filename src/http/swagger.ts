import type { NestFastifyApplication } from '@nestjs/platform-fastify'
import type { FastifyInstance } from 'fastify'
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger'
import { packageInfo } from '../package-root.js'
import { SECURITY_SCHEME } from './access.openapi.js'
import { EXTRA_MODELS } from './openapi.js'

const OPENAPI_VERSION = '3.1.0'
/** Bodies in which null stands for a field that is absent. */
const NULL_IS_ABSENT = [
  'CreatePersonaDto',
  'UpdatePersonaDto',
  'CountGenerationsDto',
  'BatchDto',
  'UpdateOperationDto',
  'DeleteOperationDto',
]
const DESCRIPTION =
  'AI personas over REST. An update that was acknowledged is there: for every worker, at once. Every path answers HEAD ' +
  'where it answers GET, OPTIONS with `Allow`, and any other method with 405. `null` for an optional field of POST and ' +
  'PUT is the same as leaving it out. Whole numbers beyond ±9007199254740991 are refused, because they are not kept ' +
  'exactly.'

const KEYS =
  'An API key, `gator_…`, with the scope that the operation names. Needed as soon as the service has keys; without any it ' +
  'serves the machine that it runs on alone.'

/** The OpenAPI 3.1 document of the application. */
export function createOpenApiDocument(app: NestFastifyApplication): OpenAPIObject {
  const config = new DocumentBuilder()
    .setOpenAPIVersion(OPENAPI_VERSION)
    .setTitle(packageInfo.name)
    .setVersion(packageInfo.version)
    .setDescription(DESCRIPTION)
    .setLicense('MIT', 'https://opensource.org/license/mit')
    .addBearerAuth({ type: 'http', scheme: 'bearer', description: KEYS }, SECURITY_SCHEME)
    .build()
  const operationIdFactory = (_controller: string, method: string) => method
  const document = SwaggerModule.createDocument(app, config, { operationIdFactory, extraModels: EXTRA_MODELS })
  for (const name of NULL_IS_ABSENT) allowNull(document.components?.schemas?.[name])
  return document
}

// In JSON Schema a property that may be left out must still not be null, unless it says so.
function allowNull(schema: object | undefined): void {
  if (!schema || !('properties' in schema)) return
  const { properties = {}, required = [] } = schema as {
    properties?: Record<string, { example?: unknown }>
    required?: string[]
  }
  for (const [name, property] of Object.entries(properties)) {
    if (required.includes(name) || 'anyOf' in property) continue
    const { example, ...type } = property
    properties[name] = { example, anyOf: [type, { type: 'null' }] } as { example?: unknown }
  }
}

const DOCUMENTATION = /^\/(?:docs(?:\/.*)?|openapi\.json)$/

/** Has everybody read the documentation, whose routes are not ours to decorate. To be called before they are added. */
export function openDocumentation(fastify: FastifyInstance): void {
  fastify.addHook('onRoute', (route) => {
    if (DOCUMENTATION.test(route.url)) route.config = { ...route.config, access: 'open' }
  })
}

/** Serves the document at `/openapi.json` and its interactive form at `/docs`. */
export function serveOpenApi(app: NestFastifyApplication): void {
  SwaggerModule.setup('docs', app, () => createOpenApiDocument(app), { jsonDocumentUrl: 'openapi.json', raw: ['json'] })
}
