import { Inject, Injectable } from '@nestjs/common'
import type { Logger } from 'pino'
import { Database, type DatabaseClient, type GivenNumbers } from '../../database/database.js'
import type { ChangeFeedModel, PersonaRevisionModel } from '../../generated/sqlite/models.js'
import { errorForLog } from '../../logging/error-for-log.js'
import { LOGGER } from '../../logging/logging.module.js'
import type { Persona } from '../persona.js'
import { readState, toRevision } from '../revisions/revision.row.js'
import { newEpoch } from './change-epoch.js'
import { type Change, type Extent, type Position, reasonToReset, type ResetReason } from './change.js'
import { type ChangePage, ChangeSource, type PageRequest } from './change-source.js'

const TABLE = 'persona_revisions'
/** The one row. */
const FEED = { where: { id: 1 } }
const NONE = { seq: 0, at: new Date(0) }

/** The changes in either database, through Prisma. */
@Injectable()
export class PrismaChangeSource extends ChangeSource {
  constructor(
    private readonly database: Database,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    super()
  }

  override async present(): Promise<Position> {
    const { settled: seq } = await this.database.numbersOf(TABLE)
    const [{ at }, { epoch }] = [await this.#lastUpTo(seq), await this.#feed()]
    return { epoch, seq, at: at.getTime() }
  }

  override async reasonToReset(position: Position): Promise<ResetReason | undefined> {
    // The floor is not older than the row: what is not there any more lies below it.
    const last = await this.#lastUpTo(position.seq)
    const extent = await this.#extentOf(await this.database.numbersOf(TABLE))
    const reason = reasonToReset(position, extent)
    if (reason || last.at.getTime() === position.at) return reason
    return last.seq < extent.floor ? 'not-kept' : 'other-history'
  }

  override async page({ after, upTo, limit }: PageRequest): Promise<ChangePage> {
    // In this order: the rows are complete up to the number that was read before, and the floor is not older than they are.
    const numbers = await this.database.numbersOf(TABLE)
    const end = upTo ?? numbers.settled
    const rows = end > after ? await this.database.read((client) => rowsOf(client, after, end, limit)) : []
    const extent = await this.#extentOf(numbers)
    const changes = rows.map((row) => this.#toChange(row))
    const isLast = rows.length < limit
    const next = isLast ? Math.max(after, end) : Number(rows.at(-1)?.seq)
    return { changes, next, isLast, extent, bytes: rows.reduce((sum, { state }) => sum + (state?.length ?? 0), 0) }
  }

  async #extentOf(numbers: GivenNumbers): Promise<Extent> {
    const { epoch, floor } = await this.#feed()
    return { ...numbers, epoch, floor: Number(floor) }
  }

  async #feed(): Promise<ChangeFeedModel> {
    const row = await this.database.read((client) => client.changeFeed.findUnique(FEED))
    const first = { id: 1, epoch: newEpoch(), floor: 0 }
    // With something to update it is one statement, and several who ask first at once get what one of them has made.
    return (
      row ?? this.database.write((client) => client.changeFeed.upsert({ ...FEED, create: first, update: { id: 1 } }))
    )
  }

  async #lastUpTo(seq: number): Promise<{ readonly seq: number; readonly at: Date }> {
    const where = { seq: { lte: seq } }
    const select = { seq: true, at: true }
    const row = await this.database.read((client) =>
      client.personaRevision.findFirst({ where, select, orderBy: { seq: 'desc' } }),
    )
    return row ? { seq: Number(row.seq), at: row.at } : NONE
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
