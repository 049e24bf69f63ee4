import { Command, Option } from 'commander'
import { pino } from 'pino'
import { type ApiKey, hasEnded } from '../../access/api-key.js'
import { ApiKeyStore } from '../../access/api-key.store.js'
import { SCOPES, type Scope } from '../../access/scopes.js'
import { loadSettings } from '../../config/environment.js'
import { ensureSchema } from '../../database/migrations/migrations.js'
import { openDatabase } from '../../database/open-database.js'
import { migrationStoreOf } from '../../database/root-database.js'
import { CommandFailedError, UsageError } from '../failure.js'
import { createOutput } from '../output.js'

interface JsonOption {
  readonly json?: boolean
}

interface CreateOptions extends JsonOption {
  readonly name: string
  readonly scope: readonly Scope[]
  readonly expires?: string
}

const HELP = `
The keys are in the database; the server may run or not, and takes notice of a change within a second. See docs/access.md.`
/** Printable, so that it can be listed. */
const NAME = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]{1,100}$/u
const MS_OF_UNIT = { h: 3_600_000, d: 86_400_000 }

/** `gator keys`: who may ask the server for what. */
export function keysCommand(): Command {
  return new Command('keys')
    .description('create, list and revoke the API keys in the database of DATABASE_URL')
    .addHelpText('after', HELP)
    .addCommand(createCommand())
    .addCommand(listCommand())
    .addCommand(revokeCommand())
    .addCommand(removeEndedCommand())
}

function createCommand(): Command {
  const scopes = new Option('--scope <scopes...>', 'what it is good for').choices(SCOPES).makeOptionMandatory()
  return new Command('create')
    .description('make a key, and print it: it is shown this once')
    .requiredOption('--name <name>', 'whose it is, for the list and for you')
    .addOption(scopes)
    .option(
      '--expires <when>',
      'good until then: a time such as 2027-01-31T12:00:00Z, or from now on, such as 12h or 90d',
    )
    .option('--json', 'print the result as JSON')
    .action(create)
}

function listCommand(): Command {
  return new Command('list')
    .description('list the keys, oldest first, without their secrets')
    .option('--json', 'print the result as JSON')
    .action(list)
}

function revokeCommand(): Command {
  return new Command('revoke')
    .description('have a key refused from now on, for ever')
    .argument('<id>', 'the id that "gator keys list" shows, which is the part of the key after gator_')
    .option('--json', 'print the result as JSON')
    .action(revoke)
}

function removeEndedCommand(): Command {
  return new Command('remove-ended')
    .description('remove the keys that were revoked or have expired; a server that has none left needs none')
    .option('--json', 'print the result as JSON')
    .action(removeEnded)
}

async function create({ name, scope, expires, json: isJson = false }: CreateOptions): Promise<void> {
  const output = createOutput(isJson)
  const now = new Date()
  if (!NAME.test(name)) throw new UsageError('--name must have 1 to 100 printable characters')
  const expiresAt = expires === undefined ? null : timeOf(expires, now)
  const { apiKey, key } = await withKeys((keys) => keys.create({ name, scopes: [...new Set(scope)], expiresAt }, now))
  output.say(`Key ${apiKey.id} for ${name}. Keep it: it is not shown again.`)
  output.result({ key, ...shown(apiKey, now) }, key)
}

async function list({ json: isJson = false }: JsonOption): Promise<void> {
  const output = createOutput(isJson)
  const now = new Date()
  const keys = (await withKeys((store) => store.list())).map((key) => shown(key, now))
  const lines = keys.map(({ id, state, scopes, last_used_at: lastUsed, name }) =>
    [id, state.padEnd('revoked'.length), scopes.join(','), `last used ${lastUsed ?? 'never'}`, name].join('  '),
  )
  output.result({ keys }, lines.length > 0 ? lines.join('\n') : 'There is no key: a server serves loopback alone.')
}

async function revoke(id: string, { json: isJson = false }: JsonOption): Promise<void> {
  const output = createOutput(isJson)
  const now = new Date()
  const key = await withKeys((keys) => keys.revoke(id, now))
  if (!key) throw new CommandFailedError(`There is no key ${id}: "gator keys list" shows them.`)
  output.result(shown(key, now), `Key ${id} for ${key.name} is revoked; every worker refuses it within a second.`)
}

async function removeEnded({ json: isJson = false }: JsonOption): Promise<void> {
  const output = createOutput(isJson)
  const [removed, left] = await withKeys(async (keys) => {
    return [await keys.removeEnded(new Date()), (await keys.list()).length] as const
  })
  const warning = left === 0 ? ' No key is left: a server on loopback serves without one.' : ''
  output.result({ removed, left }, `Removed ${removed}, ${left} are left.${warning}`)
}

/** What is told of a key: everything but its hash. */
function shown(key: ApiKey, now: Date) {
  const { id, name, scopes, createdAt, expiresAt, revokedAt, lastUsedAt } = key
  const state = revokedAt ? 'revoked' : hasEnded(key, now) ? 'expired' : 'good'
  const time = (date: Date | null) => date?.toISOString() ?? null
  return {
    ...{ id, name, state, scopes, created_at: createdAt.toISOString() },
    ...{ expires_at: time(expiresAt), revoked_at: time(revokedAt), last_used_at: time(lastUsedAt) },
  }
}

function timeOf(text: string, now: Date): Date {
  const [, count = '', unit] = /^(\d{1,5})([hd])$/.exec(text) ?? []
  const time = unit ? now.getTime() + Number(count) * MS_OF_UNIT[unit as keyof typeof MS_OF_UNIT] : Date.parse(text)
  if (time > now.getTime()) return new Date(time)
  throw new UsageError('--expires must be a time to come, such as 2027-01-31T12:00:00Z, 12h or 90d')
}

// The first key may be made before a server has ever run: as at its start, what is pending is applied.
async function withKeys<T>(work: (keys: ApiKeyStore) => Promise<T>): Promise<T> {
  const settings = loadSettings()
  await ensureSchema(migrationStoreOf(settings.database), settings.database)
  const database = await openDatabase(settings, pino({ level: 'silent' }))
  try {
    return await work(new ApiKeyStore(database))
  } finally {
    await database.close()
  }
}
