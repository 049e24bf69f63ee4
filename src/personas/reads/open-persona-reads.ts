import type { Settings } from '../../config/settings.js'
import type { Database } from '../../database/database.js'
import type { PersonaRepository } from '../persona.repository.js'
import { CachedReads } from './cached-reads.js'
import type { PersonaReads } from './persona.reads.js'
import { RepositoryReads } from './repository-reads.js'
import { StatementReads } from './statement-reads.js'

/** The fastest way to read personas that this database has. */
export function openPersonaReads(database: Database, repository: PersonaRepository, settings: Settings): PersonaReads {
  const { directReads } = database
  if (!directReads) return new RepositoryReads(repository)
  if (directReads.kind === 'remote') return new StatementReads(directReads)
  return new CachedReads(directReads, settings.server.cacheBytes)
}
