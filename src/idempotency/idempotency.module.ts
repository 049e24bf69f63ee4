import { Module } from '@nestjs/common'
import { IdempotencySweeper } from './idempotency-sweeper.js'
import { Idempotency } from './idempotency.service.js'

@Module({
  providers: [Idempotency, IdempotencySweeper],
  exports: [Idempotency],
})
export class IdempotencyModule {}
