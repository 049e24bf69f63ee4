import { Inject, Injectable } from '@nestjs/common'
import type { Logger } from 'pino'
import { Database, type DatabaseClient } from '../../database/database.js'
import type { PersonaRevisionModel } from '../../generated/sqlite/models.js'
import { errorForLog } from '../../logging/error-for-log.js'
import { LOGGER } from '../../logging/logging.module.js'
import type { Persona } from '../persona.js'
import { readState, toRevision } from '../revisions/revision.row.js'
import type { Change, Extent } from './change.js'
import { type ChangePage, ChangeSource, type PageRequest } from './change-source.js'

const TABLE = 'persona_revisions'
/** The one row; without it, this is what it would say. */
const FEED = { where: { id: 1 } }
const NO_ROW = { epoch: '0', floor: 0 }

/** The changes in either database, through Prisma. */
@Injectable()
export class PrismaChangeSource extends ChangeSource {
  constructor(
    private readonly database: Database,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    super()
  }

  override async extent(): Promise<Extent> {
    const numbers = await this.database.numbersOf(TABLE)
    return { ...numbers, ...(await this.database.read(feedOf)) }
  }

  override async page({ after, upTo = Infinity, limit }: PageRequest): Promise<ChangePage> {
    // In this order: the rows are complete up to the number that was read before, and the floor is not older than they are.
    const numbers = await this.database.numbersOf(TABLE)
    const end = Math.min(numbers.settled, upTo)
    const rows = end > after ? await this.database.read((client) => rowsOf(client, after, end, limit)) : []
    const extent = { ...numbers, ...(await this.database.read(feedOf)) }
    const changes = rows.map((row) => this.#toChange(row))
    const isLast = rows.length < limit
    const next = isLast ? Math.max(after, end) : Number(rows.at(-1)?.seq)
    return { changes, next, isLast, extent, bytes: rows.reduce((sum, { state }) => sum + (state?.length ?? 0), 0) }
  }

  #toChange({ schema, state, ...row }: PersonaRevisionModel): Change {
    return { ...toRevision(row), persona: state === null ? null : this.#personaOf(row.seq, schema, state) }
  }

  // What somebody wrote past the service may be nothing that can be read. It must not stop everybody else's stream.
  #personaOf(seq: number | bigint, schema: number, state: string): Persona | null {
    try {
      const persona = readState(schema, state)
      // A time that is none shows when it is written.
      for (const time of [persona.createdAt, persona.updatedAt]) time.toISOString()
      return persona
    } catch (error) {
      this.logger.error({ seq: Number(seq), err: errorForLog(error) }, 'the state of a change cannot be read')
      return null
    }
  }
}

function rowsOf(client: DatabaseClient, after: number, end: number, limit: number): Promise<PersonaRevisionModel[]> {
  return client.personaRevision.findMany({
    where: { seq: { gt: after, lte: end } },
    orderBy: { seq: 'asc' },
    take: limit,
  })
}

async function feedOf(client: DatabaseClient): Promise<Pick<Extent, 'epoch' | 'floor'>> {
  const row = await client.changeFeed.findUnique(FEED)
  return row ? { epoch: row.epoch, floor: Number(row.floor) } : NO_ROW
}
