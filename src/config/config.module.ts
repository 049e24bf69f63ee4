import { type DynamicModule, Module } from '@nestjs/common'
import type { Settings } from './settings.js'

/** DI token of the frozen {@link Settings}. */
export const SETTINGS = Symbol('SETTINGS')

/** Hands the settings, validated before the application was built, to whoever injects {@link SETTINGS}. */
@Module({})
export class ConfigModule {
  static forRoot(settings: Settings): DynamicModule {
    return {
      module: ConfigModule,
      global: true,
      providers: [{ provide: SETTINGS, useValue: settings }],
      exports: [SETTINGS],
    }
  }
}
