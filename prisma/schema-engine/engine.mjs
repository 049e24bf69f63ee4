import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils'
import { openDatabase, providerOfLockfile, providerOfSchema } from './databases.mjs'
import { EngineErrors } from './engine-errors.mjs'
import { loadSchemaEngine } from './wasm.mjs'

/** Methods whose name in the protocol is not their name in the engine. */
const RENAMED = { getDatabaseVersion: 'version' }

/** Methods that start from the schema that the migrations make. */
const NEEDS_HISTORY = new Set(['createMigration', 'evaluateDataLoss'])

/** What the command line may call. Listed, so that a request cannot reach anything else of the engine's object. */
const METHODS = new Set([
  'applyMigrations',
  'createMigration',
  'dbExecute',
  'debugPanic',
  'devDiagnostic',
  'diagnoseMigrationHistory',
  'diff',
  'ensureConnectionValidity',
  'evaluateDataLoss',
  'getDatabaseVersion',
  'introspect',
  'introspectSql',
  'markMigrationApplied',
  'markMigrationRolledBack',
  'reset',
  'schemaPush',
])

/** Prisma's engine as WebAssembly on the datasource's database; started by the first request. */
export class Engine {
  #datasource
  #datamodels
  #started
  #isBusy = false

  /**
   * @param {import('./arguments.mjs').Datasource} datasource
   * @param {import('./arguments.mjs').SchemaFile[]} datamodels
   */
  constructor(datasource, datamodels) {
    this.#datasource = datasource
    this.#datamodels = datamodels
  }

  /** @param {string} method */
  has(method) {
    return METHODS.has(method)
  }

  /**
   * Runs one of the engine's methods and answers its result. No lock and no shadow database outlives the call.
   * @param {string} method
   * @param {any} params
   * @throws the engine's error (`code`, `message`, `meta`), or that of the database
   */
  async call(method, params) {
    this.#started ??= this.#start(params)
    const { engine, database, errors } = await this.#started
    this.#isBusy = true
    try {
      // The engine's own reset fails half way (P3016) at what it does not know, such as SQLite's virtual tables.
      if (method === 'reset') await database.dropContents()
      if (NEEDS_HISTORY.has(method)) await learnHistory(engine, params)
      return (await engine[RENAMED[method] ?? method](params)) ?? null
    } catch (error) {
      throw errors.explain(error)
    } finally {
      await database.endCall()
      this.#isBusy = false
    }
  }

  /**
   * Ends the engine's connections. In the middle of a call it ends what would outlive the process (a shadow database) and
   * leaves the rest to the process's end: a connection that waits for a lock could be waited for without end.
   */
  async dispose() {
    const started = await this.#started?.catch(() => undefined)
    await (this.#isBusy ? started?.database.endCall() : started?.database.dispose())
  }

  /** @param {any} params of the first request: `migrate diff` names its schemas there alone */
  async #start(params) {
    const database = await openDatabase(this.#datasource, providerOf(this.#datamodels, params))
    const factory = bindMigrationAwareSqlAdapterFactory(database)
    const errors = new EngineErrors(factory.errorRegistry)
    const SchemaEngine = await loadSchemaEngine()
    // An empty list would make the engine panic.
    const datamodels = this.#datamodels.length > 0 ? this.#datamodels : undefined
    const ignoreLog = () => {}
    const engine = await SchemaEngine.new({ datamodels }, ignoreLog, factory).catch((error) => {
      throw errors.explain(error)
    })
    return { engine, database, errors }
  }
}

/**
 * Makes the engine replay the migrations on a shadow database and remember the schema that they make. The methods that
 * compare with that schema cannot do it themselves as WebAssembly ("shadow DB must be provided through an external
 * factory"), and the diagnosis that the command line asks for first remembers the applied migrations alone: not enough
 * when `migrate dev` has just applied others.
 */
async function learnHistory(engine, { migrationsList, filters }) {
  await engine.diagnoseMigrationHistory({ migrationsList, filters, optInToShadowDatabase: true })
}

/**
 * The first provider that a schema or a migration folder of the request names.
 * @param {import('./arguments.mjs').SchemaFile[]} datamodels
 * @param {any} params
 */
function providerOf(datamodels, params) {
  const ends = [params?.from, params?.to]
  const schemas = [
    ...datamodels.map(([, content]) => content),
    ...ends.flatMap((end) => end?.files ?? []).map(contentOf),
  ]
  const lockfiles = ends.map((end) => end?.lockfile?.content)
  return [...schemas.map(providerOfSchema), ...lockfiles.map(providerOfLockfile)].find(Boolean)
}

/** @param {{ content: string }} file */
function contentOf(file) {
  return file.content
}
