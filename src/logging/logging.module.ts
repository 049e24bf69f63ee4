import { type DynamicModule, Module } from '@nestjs/common'
import type { Logger } from 'pino'

/** DI token of the process' pino logger. */
export const LOGGER = Symbol('LOGGER')

@Module({})
export class LoggingModule {
  static forRoot(logger: Logger): DynamicModule {
    return {
      module: LoggingModule,
      global: true,
      providers: [{ provide: LOGGER, useValue: logger }],
      exports: [LOGGER],
    }
  }
}
