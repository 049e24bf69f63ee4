import { Module } from '@nestjs/common'
import { IdempotencyModule } from '../idempotency/idempotency.module.js'
import { BatchController } from './batch/batch.controller.js'
import { PersonaController } from './persona.controller.js'
import { PersonaRepository } from './persona.repository.js'
import { PersonaService } from './persona.service.js'
import { PersonaWrites } from './persona.writes.js'
import { PrismaPersonaRepository } from './prisma-persona.repository.js'

@Module({
  imports: [IdempotencyModule],
  controllers: [PersonaController, BatchController],
  providers: [PersonaService, PersonaWrites, { provide: PersonaRepository, useClass: PrismaPersonaRepository }],
})
export class PersonasModule {}
