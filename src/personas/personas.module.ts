import { Module } from '@nestjs/common'
import { SETTINGS } from '../config/config.module.js'
import { Database } from '../database/database.js'
import { IdempotencyModule } from '../idempotency/idempotency.module.js'
import { BatchController } from './batch/batch.controller.js'
import { PersonaController } from './persona.controller.js'
import { PersonaRepository } from './persona.repository.js'
import { PersonaService } from './persona.service.js'
import { openPersonaReads } from './reads/open-persona-reads.js'
import { PersonaReads } from './reads/persona.reads.js'
import { PersonaWrites } from './persona.writes.js'
import { PrismaPersonaRepository } from './prisma-persona.repository.js'
import { PrismaRevisionRepository } from './revisions/prisma-revision.repository.js'
import { RevisionController } from './revisions/revision.controller.js'
import { RevisionRepository } from './revisions/revision.repository.js'
import { RevisionService } from './revisions/revision.service.js'

@Module({
  imports: [IdempotencyModule],
  controllers: [PersonaController, RevisionController, BatchController],
  providers: [
    PersonaService,
    PersonaWrites,
    RevisionService,
    { provide: PersonaRepository, useClass: PrismaPersonaRepository },
    { provide: RevisionRepository, useClass: PrismaRevisionRepository },
    { provide: PersonaReads, inject: [Database, PersonaRepository, SETTINGS], useFactory: openPersonaReads },
  ],
})
export class PersonasModule {}
