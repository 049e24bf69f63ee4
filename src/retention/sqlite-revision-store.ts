import type { ArgType } from '@prisma/driver-adapter-utils'
import type { DatabaseSettings } from '../config/settings.js'
import { SqliteEngine } from '../database/sqlite/engine.js'
import { newEpoch } from '../personas/changes/change-epoch.js'
import { type Expiry, expiredSql, expiredValues, raiseFloorSql, type RevisionStore } from './revision-store.js'

const EXPIRED = expiredSql('?, ?, ?, ?, ?')
const RAISE_FLOOR = raiseFloorSql('?', 'CAST(? AS INTEGER)', 'max')
const argType = (scalarType: ArgType['scalarType']): ArgType => ({ scalarType, arity: 'scalar' })
const EXPIRED_TYPES = (['string', 'datetime', 'datetime', 'int', 'int'] as const).map(argType)

export class SqliteRevisionStore implements RevisionStore {
  private constructor(private readonly engine: SqliteEngine) {}

  static async open(settings: DatabaseSettings, file: string): Promise<SqliteRevisionStore> {
    const { busyTimeoutMs, synchronous, checkpoints } = settings
    const external = checkpoints.isExternal ? { autocheckpointPages: 0 } : {}
    return new SqliteRevisionStore(await SqliteEngine.open({ file, busyTimeoutMs, synchronous, ...external }))
  }

  async nextPersona(after: string): Promise<string | null> {
    const sql = 'SELECT min(persona_id) FROM persona_revisions WHERE persona_id > ?'
    const [id = null] = await this.#texts(sql, [after], [argType('string')])
    return id
  }

  async expired(personaId: string, expiry: Expiry, limit: number): Promise<readonly string[]> {
    const seqs = await this.#texts(EXPIRED, expiredValues(personaId, expiry, limit), EXPIRED_TYPES)
    return seqs.flatMap((seq) => seq ?? [])
  }

  async raiseFloor(seq: string): Promise<void> {
    const argTypes = [argType('string'), argType('string')]
    await this.engine.execute({ sql: RAISE_FLOOR, args: [newEpoch(), seq], argTypes })
  }

  async remove(seqs: readonly string[]): Promise<void> {
    const sql = 'DELETE FROM persona_revisions WHERE seq IN (SELECT CAST(value AS INTEGER) FROM json_each(?))'
    await this.engine.execute({ sql, args: [JSON.stringify(seqs)], argTypes: [argType('string')] })
  }

  close(): Promise<void> {
    return this.engine.close()
  }

  async #texts(sql: string, args: readonly unknown[], argTypes: ArgType[]): Promise<(string | null)[]> {
    const { rows } = await this.engine.query({ sql, args: [...args], argTypes })
    return rows.map(([value]) => value as string | null)
  }
}
