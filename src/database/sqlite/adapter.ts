import {
  type ConnectionInfo,
  DriverAdapterError,
  type IsolationLevel,
  type SqlDriverAdapter,
  type SqlDriverAdapterFactory,
  type SqlQuery,
  type SqlResultSet,
  type Transaction,
  type TransactionOptions,
} from '@prisma/driver-adapter-utils'
import type { SqliteEngine } from './engine.js'
import { translated } from './errors.js'
import type { WriteTransaction } from './write-transaction.js'

const ADAPTER_NAME = 'gator-sqlite'
// SQLITE_MAX_VARIABLE_NUMBER of the SQLite that better-sqlite3 bundles.
const MAX_BIND_VALUES = 32_766

/** Prisma's door to an open {@link SqliteEngine}. Disposing of the client leaves the engine to its owner. */
export class SqliteAdapterFactory implements SqlDriverAdapterFactory {
  readonly provider = 'sqlite'
  readonly adapterName = ADAPTER_NAME

  constructor(private readonly engine: SqliteEngine) {}

  connect(): Promise<SqlDriverAdapter> {
    return Promise.resolve(new SqliteAdapter(this.engine))
  }
}

class SqliteAdapter implements SqlDriverAdapter {
  readonly provider = 'sqlite'
  readonly adapterName = ADAPTER_NAME

  constructor(private readonly engine: SqliteEngine) {}

  queryRaw(query: SqlQuery): Promise<SqlResultSet> {
    return translated(() => this.engine.query(query))
  }

  executeRaw(query: SqlQuery): Promise<number> {
    return translated(() => this.engine.execute(query))
  }

  executeScript(script: string): Promise<void> {
    return translated(() => this.engine.executeScript(script))
  }

  startTransaction(isolationLevel?: IsolationLevel): Promise<Transaction> {
    if (isolationLevel && isolationLevel !== 'SERIALIZABLE') {
      return Promise.reject(new DriverAdapterError({ kind: 'InvalidIsolationLevel', level: isolationLevel }))
    }
    return translated(async () => new SqliteTransaction(await this.engine.begin()))
  }

  getConnectionInfo(): ConnectionInfo {
    return { maxBindValues: MAX_BIND_VALUES, supportsRelationJoins: false }
  }

  dispose(): Promise<void> {
    return Promise.resolve()
  }
}

class SqliteTransaction implements Transaction {
  readonly provider = 'sqlite'
  readonly adapterName = ADAPTER_NAME
  // COMMIT and ROLLBACK are sent here, not by Prisma: a failing one must be cleaned up where the lease is known.
  readonly options: TransactionOptions = { usePhantomQuery: true }

  constructor(private readonly transaction: WriteTransaction) {}

  queryRaw(query: SqlQuery): Promise<SqlResultSet> {
    return translated(() => this.transaction.query(query))
  }

  executeRaw(query: SqlQuery): Promise<number> {
    return translated(() => this.transaction.execute(query))
  }

  commit(): Promise<void> {
    return translated(() => this.transaction.commit())
  }

  rollback(): Promise<void> {
    return translated(() => this.transaction.rollback())
  }

  createSavepoint(name: string): Promise<void> {
    return translated(() => this.transaction.savepoint('SAVEPOINT', name))
  }

  rollbackToSavepoint(name: string): Promise<void> {
    return translated(() => this.transaction.savepoint('ROLLBACK TO', name))
  }

  releaseSavepoint(name: string): Promise<void> {
    return translated(() => this.transaction.savepoint('RELEASE', name))
  }
}
