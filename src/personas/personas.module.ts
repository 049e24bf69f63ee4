import { Module } from '@nestjs/common'
import { SETTINGS } from '../config/config.module.js'
import { Database } from '../database/database.js'
import { IdempotencyModule } from '../idempotency/idempotency.module.js'
import { BatchController } from './batch/batch.controller.js'
import { ProcessMetrics } from '../metrics/process-metrics.js'
import { ChangeFeed } from './changes/change-feed.js'
import { ChangeObserver } from './changes/change-observer.js'
import { ChangeSource } from './changes/change-source.js'
import { ChangeController } from './changes/change.controller.js'
import { ChangeService } from './changes/change.service.js'
import { PrismaChangeSource } from './changes/prisma-change-source.js'
import { PersonaLists } from './lists/persona-lists.js'
import { PersonaController } from './persona.controller.js'
import { PersonaRepository } from './persona.repository.js'
import { PersonaService } from './persona.service.js'
import { openPersonaReads } from './reads/open-persona-reads.js'
import { PersonaReads } from './reads/persona.reads.js'
import { PersonaWrites } from './persona.writes.js'
import { openPersonaRepository } from './statement-persona.repository.js'
import { PrismaRevisionRepository } from './revisions/prisma-revision.repository.js'
import { RevisionController } from './revisions/revision.controller.js'
import { RevisionRepository } from './revisions/revision.repository.js'
import { RevisionService } from './revisions/revision.service.js'

@Module({
  imports: [IdempotencyModule],
  controllers: [PersonaController, RevisionController, BatchController, ChangeController],
  providers: [
    PersonaService,
    PersonaWrites,
    { provide: PersonaLists, inject: [Database], useFactory: (database: Database) => new PersonaLists(database) },
    RevisionService,
    ChangeFeed,
    ChangeService,
    { provide: PersonaRepository, inject: [Database], useFactory: openPersonaRepository },
    { provide: RevisionRepository, useClass: PrismaRevisionRepository },
    { provide: PersonaReads, inject: [Database, PersonaRepository, SETTINGS], useFactory: openPersonaReads },
    { provide: ChangeSource, useClass: PrismaChangeSource },
    { provide: ChangeObserver, useFactory: ({ changes }: ProcessMetrics) => changes, inject: [ProcessMetrics] },
  ],
})
export class PersonasModule {}
