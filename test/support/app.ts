import type { NestFastifyApplication } from '@nestjs/platform-fastify'
import type { InjectOptions, LightMyRequestResponse } from 'fastify'
import { pino } from 'pino'
import { parseSettings } from '../../src/config/settings.js'
import { createApp } from '../../src/create-app.js'

/** The real application on a database, called without a socket. */
export interface TestApp {
  readonly app: NestFastifyApplication
  inject(request: InjectOptions): Promise<LightMyRequestResponse>
  close(): Promise<void>
}

/** Builds the application as `main.ts` does, with the default settings but for those given. */
export async function startApp(databaseUrl: string, environment: Record<string, string> = {}): Promise<TestApp> {
  const settings = parseSettings({ ...environment, DATABASE_URL: databaseUrl }, false)
  const app = await createApp({ settings, logger: pino({ level: 'silent' }) })
  return { app, inject: (request) => app.inject(request), close: () => app.close() }
}
