import { Database, type DatabaseClient } from './database.js'

/** What both generated clients offer beyond the models. */
export interface TransactionalClient extends DatabaseClient {
  $transaction<T>(work: (client: DatabaseClient) => Promise<T>): Promise<T>
  $disconnect(): Promise<void>
}

/** The part of {@link Database} that does not depend on the dialect: Prisma's clients, and one translation of errors. */
export abstract class PrismaDatabase extends Database {
  protected constructor(
    protected readonly reader: DatabaseClient,
    protected readonly writer: TransactionalClient,
  ) {
    super()
  }

  override read<T>(work: (client: DatabaseClient) => Promise<T>): Promise<T> {
    return this.translated(() => work(this.reader))
  }

  override write<T>(work: (client: DatabaseClient) => Promise<T>): Promise<T> {
    return this.translated(() => work(this.writer))
  }

  override transaction<T>(work: (client: DatabaseClient) => Promise<T>): Promise<T> {
    return this.translated(() => this.writer.$transaction(work))
  }

  override async probe(): Promise<void> {
    await this.read((client) => client.persona.findFirst({ select: { id: true } }))
  }

  /** Turns an error of Prisma or of the driver into one of database-errors.ts, and leaves every other as it is. */
  protected abstract translate(error: unknown): unknown

  protected async translated<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      throw this.translate(error)
    }
  }
}
