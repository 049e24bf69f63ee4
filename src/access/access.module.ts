import { type DynamicModule, Module, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common'
import { Database } from '../database/database.js'
import { KeyRing } from './key-ring.js'

/** Gives the key ring, which the gate before the routes asks, the database that holds the keys. */
@Module({})
export class AccessModule implements OnModuleInit, OnModuleDestroy {
  static forRoot(keys: KeyRing): DynamicModule {
    return { module: AccessModule, global: true, providers: [{ provide: KeyRing, useValue: keys }], exports: [KeyRing] }
  }

  constructor(
    private readonly keys: KeyRing,
    private readonly database: Database,
  ) {}

  async onModuleInit(): Promise<void> {
    await this.keys.follow(this.database)
  }

  async onModuleDestroy(): Promise<void> {
    await this.keys.close()
  }
}
