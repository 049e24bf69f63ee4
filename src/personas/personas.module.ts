import { Module } from '@nestjs/common'
import { PersonaController } from './persona.controller.js'
import { PersonaRepository } from './persona.repository.js'
import { PersonaService } from './persona.service.js'
import { PrismaPersonaRepository } from './prisma-persona.repository.js'

@Module({
  controllers: [PersonaController],
  providers: [PersonaService, { provide: PersonaRepository, useClass: PrismaPersonaRepository }],
})
export class PersonasModule {}
