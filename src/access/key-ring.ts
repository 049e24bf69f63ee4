import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'
import { isLoopback, type Settings } from '../config/settings.js'
import { DatabaseAwayError, DatabaseUnavailableError } from '../database/database-errors.js'
import type { Database } from '../database/database.js'
import { errorForLog } from '../logging/error-for-log.js'
import { UnauthenticatedError } from './access.errors.js'
import { type ApiKey, hasEnded, isSameKey, readKey } from './api-key.js'
import { ApiKeyStore, readKeysApart } from './api-key.store.js'
import type { Scope } from './scopes.js'

/** A key that is revoked is refused by every worker within this, and the time that a look takes. */
const LOOK_EVERY_MS = 400
/** Keys that were good are so for this long while the database is away, and nobody gets anything from it. */
const TRUST_AWAY_MS = 600_000
/** And for this long when they cannot be read for another reason: the database may serve others meanwhile. */
const TRUST_MS = 10_000
/** The last use of a key is known to the minute. */
const NOTE_USE_EVERY_MS = 60_000
/** Whoever holds the write lock then does not keep the server from stopping. */
const LAST_NOTE_MS = 1_000

/**
 * The keys, in the memory of this process: no request asks the database for its key. Every {@link LOOK_EVERY_MS} it is
 * asked whether they are still the same: on SQLite only after a commit (data_version), which costs nothing while there is none,
 * and on PostgreSQL over a connection that no request has, so that a look waits for nobody.
 */
export class KeyRing {
  /** Whether whoever needs no key may be on another machine. */
  readonly isOpenToAll: boolean
  readonly #mayBeOpen: boolean
  readonly #used = new Set<string>()
  readonly #watchers = new Set<() => void>()
  #keys: ReadonlyMap<string, ApiKey> | undefined
  #lookedAt = -Infinity
  #dataVersion: number | undefined
  #isFailing = false
  #isAway = false
  #isClosed = false
  #lookTimer: NodeJS.Timeout | undefined
  #useTimer: NodeJS.Timeout | undefined
  #looking: Promise<void> = Promise.resolve()
  #database: Database | undefined

  constructor(
    { server, access }: Pick<Settings, 'server' | 'access'>,
    private readonly logger: Logger,
  ) {
    this.isOpenToAll = access.allowsUnauthenticated
    this.#mayBeOpen = isLoopback(server.host) || this.isOpenToAll
  }

  /** Reads the keys, and follows them from then on. A database that is away is waited for beside the requests. */
  async follow(database: Database): Promise<void> {
    this.#database = database
    await this.#look()
    this.#useTimer = setInterval(() => void this.noteUse(), NOTE_USE_EVERY_MS).unref()
  }

  /** Writes down which keys were used last. */
  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#lookTimer)
    clearInterval(this.#useTimer)
    await this.#looking
    await Promise.race([this.noteUse(), delay(LAST_NOTE_MS, undefined, { ref: false })])
  }

  /**
   * Whether no key is needed: there is none, not even a revoked one, and the server is for this machine alone, or was told
   * to serve everybody. So the loss of the last key never opens anything.
   * @throws DatabaseUnavailableError while it is not known whether there are keys
   */
  get isOpen(): boolean {
    return this.#mayBeOpen && this.#known().size === 0
  }

  /**
   * Finds the key of an `Authorization` header.
   * @throws UnauthenticatedError when it has none that is good; DatabaseUnavailableError when that is not known
   */
  find(authorization: string | undefined, now = new Date()): ApiKey {
    const keys = this.#known()
    if (authorization === undefined) throw new UnauthenticatedError('no-key')
    const presented = readKey(/^bearer +(\S+) *$/i.exec(authorization)?.[1] ?? '')
    if (!presented) throw new UnauthenticatedError('malformed-key')
    const { id } = presented
    const key = keys.get(id)
    if (!isSameKey(presented, key)) throw new UnauthenticatedError('unknown-key', id)
    // Only to whoever has the key it is told what became of it.
    if (hasEnded(key, now)) throw new UnauthenticatedError(key.revokedAt ? 'revoked-key' : 'expired-key', id)
    this.#used.add(id)
    return key
  }

  /** Whether a request that was let in would be let in again, for what goes on after it was answered. */
  stillAdmits(authorization: string | undefined, scope: Scope): boolean {
    try {
      return this.isOpen || this.find(authorization).scopes.includes(scope)
    } catch {
      return false
    }
  }

  /** Calls back after each look at the keys, which are never older than that. @returns what ends it */
  watch(onLook: () => void): () => void {
    this.#watchers.add(onLook)
    return () => this.#watchers.delete(onLook)
  }

  /** Writes down which keys were used since this was done last, with one statement. */
  async noteUse(): Promise<void> {
    const ids = [...this.#used]
    if (ids.length === 0 || !this.#database) return
    this.#used.clear()
    try {
      await new ApiKeyStore(this.#database).noteUse(ids, new Date())
    } catch (error) {
      for (const id of ids) this.#used.add(id)
      this.logger.warn({ err: errorForLog(error) }, 'the last use of API keys could not be written; it is tried again')
    }
  }

  #known(): ReadonlyMap<string, ApiKey> {
    const isTrusted = performance.now() - this.#lookedAt < (this.#isAway ? TRUST_AWAY_MS : TRUST_MS)
    // Without a key there is nothing that could have been revoked meanwhile.
    if (this.#keys && (isTrusted || this.#keys.size === 0)) return this.#keys
    throw new DatabaseUnavailableError('The API keys cannot be read now.')
  }

  async #look(): Promise<void> {
    try {
      await this.#read()
      this.#lookedAt = performance.now()
      this.#isFailing = false
      this.#isAway = false
    } catch (error) {
      this.#isAway = error instanceof DatabaseAwayError
      if (!this.#isFailing)
        this.logger.warn({ err: errorForLog(error) }, 'the API keys cannot be read; it is tried again')
      this.#isFailing = true
    }
    if (this.#isClosed) return
    for (const onLook of this.#watchers) onLook()
    this.#lookTimer = setTimeout(() => {
      this.#looking = this.#look()
    }, LOOK_EVERY_MS).unref()
  }

  async #read(): Promise<void> {
    const database = this.#database
    if (!database) return
    const reads = database.directReads
    const version = reads?.kind === 'local' ? await reads.read((file) => file.dataVersion()) : undefined
    if (version !== undefined && version === this.#dataVersion) return
    const keys = reads?.kind === 'remote' ? await readKeysApart(reads) : await new ApiKeyStore(database).list()
    this.#keys = new Map(keys.map((key) => [key.id, key]))
    // What is committed from the question on is another version: the next look finds it.
    this.#dataVersion = version
  }
}
