import type { PrismaClient } from '../generated/sqlite/client.js'
import type { CommitWatch } from './commit-watch.js'
import type { AppliedMigration } from './migrations/migration-history.js'

/**
 * The client as everything above the database layer sees it. Both generated clients have this shape: they come from the
 * same models.
 */
export type DatabaseClient = Pick<
  PrismaClient,
  'persona' | 'personaCount' | 'personaRevision' | 'changeFeed' | 'idempotencyKey' | 'apiKey'
>

/** What a repository needs: the database, or one transaction of it (see {@link Database.unitOfWork}). */
export interface DatabaseAccess {
  read<T>(work: (client: DatabaseClient) => Promise<T>): Promise<T>
  write<T>(work: (client: DatabaseClient) => Promise<T>): Promise<T>
  /** All of `work` or nothing of it: a transaction, or a savepoint of the one that surrounds it. */
  transaction<T>(work: (client: DatabaseClient) => Promise<T>): Promise<T>
}

/** What a statement's placeholder stands for. */
export type SqlValue = string | number | null
export type Rows = readonly (readonly unknown[])[]

/** What reads on a connection to a file can ask, at once. Rows are arrays of values in the form that Prisma's adapters have. */
export interface LocalReads {
  /** Another number after every commit that was acknowledged meanwhile, by any process. */
  dataVersion(): number
  /** Another number after every change of the schema. */
  schemaVersion(): number
  rows(sql: string, values: readonly SqlValue[]): Rows
  /** The same, as SQLite stores them: numbers (exact up to 2^53) for truth values, times as they were written. */
  plainRows(sql: string, values: readonly SqlValue[]): Rows
}

/**
 * Reads that go past Prisma, by statements that stay prepared, for the few that are asked most: what Prisma's client takes
 * of such a read is more than all the rest (docs/performance.md). Errors are those of {@link Database.read}.
 */
export type DirectReads =
  | {
      readonly kind: 'local'
      /** Runs `work` in one turn of the event loop; it may be run again. */
      read<T>(work: (file: LocalReads) => T): Promise<T>
    }
  | {
      readonly kind: 'remote'
      /** Runs a statement ($1, $2, …); times come as the server writes them. */
      rows(sql: string, values: readonly SqlValue[]): Promise<Rows>
      /** The same for one of many statements: it is planned for its values, and not kept. */
      rowsOnce(sql: string, values: readonly SqlValue[]): Promise<Rows>
      /**
       * Runs a statement on a connection that no request ever has, for what must be noticed on time however busy the others
       * are. It fails after two seconds, or three when nobody answers.
       */
      rowsApart(sql: string): Promise<Rows>
    }

/**
 * Writes that go past Prisma, by single statements that stay prepared, for the few that are asked most (as
 * {@link DirectReads}). Each takes effect wholly or not at all; errors are those of {@link Database.write}.
 */
export interface DirectWrites {
  readonly kind: DirectReads['kind']
  /** Runs a statement, with the placeholders of the dialect, and answers the rows that it returns once it is committed. */
  rows(sql: string, values: readonly SqlValue[]): Promise<Rows>
}

export interface DatabaseDescription {
  /** The version of SQLite, or of the server. */
  readonly version: string
  readonly bytes: number
  /** What it says of itself, by its own names. */
  readonly details: Readonly<Record<string, string | number>>
}

/** How far the numbers of a table have come that are given out one after the other (its `seq`). */
export interface GivenNumbers {
  /** The highest that was given out; its row may not be there yet, or never come. */
  readonly last: number
  /** Up to here every row is visible that ever will be. */
  readonly settled: number
}

/**
 * The database, whichever it is; also the DI token. Every call says whether it reads or writes, and every failure that
 * a driver reports arrives as one of the errors in database-errors.ts.
 */
export abstract class Database implements DatabaseAccess {
  abstract readonly provider: 'sqlite' | 'postgresql'

  /** Reads. Sees every write that was acknowledged before, by any process. */
  abstract read<T>(work: (client: DatabaseClient) => Promise<T>): Promise<T>

  /** Null where every read goes through Prisma. */
  abstract readonly directReads: DirectReads | null

  /** Null where every write goes through Prisma. */
  abstract readonly directWrites: DirectWrites | null

  /** Writes with one statement, which takes effect wholly or not at all. */
  abstract write<T>(work: (client: DatabaseClient) => Promise<T>): Promise<T>

  /**
   * Runs several statements as one transaction, committed when `work` resolves and rolled back when it rejects. Write
   * before you read in it: the first write takes the lock that makes what is read afterwards stay true. `work` must have
   * no effect but through the client: where the database rolls it back because of others, it is run again.
   */
  abstract transaction<T>(work: (client: DatabaseClient) => Promise<T>): Promise<T>

  /**
   * Runs what repositories do as one transaction, committed when `work` resolves and rolled back when it rejects. What
   * goes through `inside` reads what was written before in it. As with {@link transaction}, `work` may be run again. A
   * failure of the database ends the whole: `work` must pass it on.
   */
  abstract unitOfWork<T>(work: (inside: DatabaseAccess) => Promise<T>): Promise<T>

  /** How far the numbers of a table have come; rows that are read afterwards are complete up to `settled`. */
  abstract numbersOf(table: string): Promise<GivenNumbers>

  /**
   * Calls back soon after each commit, by whichever process: once for several, and sometimes for none at all. Whoever
   * begins to watch and then reads misses nothing.
   */
  abstract watchCommits(onCommit: () => void): CommitWatch

  /** Resolves when the database answers a read. */
  abstract probe(): Promise<void>

  /** Resolves when the database has taken a write, which changes nothing. */
  abstract probeWrite(): Promise<void>

  /** What an operator may ask of it. */
  abstract describe(): Promise<DatabaseDescription>

  /** What `_prisma_migrations` says, oldest first. */
  abstract appliedMigrations(): Promise<AppliedMigration[]>

  /** @throws when this process must not go on: what it would write from now on would be seen by nobody */
  abstract assertUsable(): void

  abstract close(): Promise<void>
}
