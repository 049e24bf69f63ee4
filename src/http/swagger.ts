import type { NestFastifyApplication } from '@nestjs/platform-fastify'
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger'
import { packageInfo } from '../package-root.js'
import { EXTRA_MODELS } from './openapi.js'

const OPENAPI_VERSION = '3.1.0'

/** The OpenAPI 3.1 document of the application. */
export function createOpenApiDocument(app: NestFastifyApplication): OpenAPIObject {
  const config = new DocumentBuilder()
    .setOpenAPIVersion(OPENAPI_VERSION)
    .setTitle(packageInfo.name)
    .setVersion(packageInfo.version)
    .setDescription('AI personas over REST. An update that was acknowledged is there: for every worker, at once.')
    .setLicense('MIT', '')
    .build()
  const operationIdFactory = (_controller: string, method: string) => method
  return SwaggerModule.createDocument(app, config, { operationIdFactory, extraModels: EXTRA_MODELS })
}

/** Serves the document at `/openapi.json` and its interactive form at `/docs`. */
export function serveOpenApi(app: NestFastifyApplication): void {
  SwaggerModule.setup('docs', app, () => createOpenApiDocument(app), { jsonDocumentUrl: 'openapi.json', raw: ['json'] })
}
