// Fastify and prepared statements, with nothing between them: what the machine has to give. `node bare-server.mjs FILE`,
// with WORKERS and PORT in the environment, started by lib/service.mjs like the service itself. It answers what the
// service answers for the same rows, without its checks, its hooks and its queue for the write lock.
import cluster from 'node:cluster'
import { once } from 'node:events'
import BetterSqlite3 from 'better-sqlite3'
import fastifyOf from 'fastify'
import { CONSTANT_BODY, CONSTANT_PATH, PERSONAS_PATH } from './lib/personas.mjs'

const file = process.argv[2]
const { WORKERS = '1', PORT } = process.env
const BUSY_TIMEOUT_MS = 30_000
const JSON_TYPE = 'application/json; charset=utf-8'
const TIME = '%Y-%m-%dT%H:%M:%fZ'

if (cluster.isPrimary && Number(WORKERS) > 1) await serveWithWorkers()
else await serve()

async function serveWithWorkers() {
  const workers = Array.from({ length: Number(WORKERS) }, () => cluster.fork())
  process.once('SIGTERM', () => {
    for (const { process: worker } of workers) worker.kill('SIGKILL')
    process.exit()
  })
  await Promise.all(workers.map((worker) => once(worker, 'listening')))
  tellParent()
}

async function serve() {
  const statements = prepare()
  const app = fastifyOf()
  const route = `${PERSONAS_PATH}/:id`
  const answer = (reply, text) => reply.type(JSON_TYPE).send(text)
  app.get(CONSTANT_PATH, (_request, reply) => answer(reply, CONSTANT_BODY))
  app.get(PERSONAS_PATH, ({ query }, reply) => {
    const rows = statements.page.all(Number(query.limit), Number(query.skip ?? 0))
    reply.header('x-total-count', String(statements.count.get()))
    return answer(reply, `[${rows.join(',')}]`)
  })
  app.get(route, ({ params, headers }, reply) => {
    const { text, tag } = statements.get.get(params.id)
    reply.header('etag', tag)
    return headers['if-none-match'] === tag ? reply.code(304).send() : answer(reply, text)
  })
  app.put(route, ({ params, body }, reply) => {
    const { text, tag } = statements.put.get(body.base_image_path, params.id)
    return answer(reply.header('etag', tag), text)
  })
  await app.listen({ host: '127.0.0.1', port: Number(PORT) })
  if (cluster.isPrimary) tellParent()
}

function prepare() {
  const database = new BetterSqlite3(file, { timeout: BUSY_TIMEOUT_MS })
  database.pragma('synchronous = NORMAL')
  // The document is made by SQLite itself, in one pass over the row.
  const text = `json_object('id', id, 'name', name, 'appearance', appearance, 'personality', personality,
    'content_themes', json(content_themes), 'style_preferences', json(style_preferences),
    'default_content_rating', default_content_rating, 'allowed_content_ratings', json(allowed_content_ratings),
    'platform_restrictions', json(platform_restrictions), 'base_appearance_description', base_appearance_description,
    'base_image_path', base_image_path, 'appearance_locked', json(iif(appearance_locked, 'true', 'false')),
    'base_image_status', base_image_status, 'is_active', json(iif(is_active, 'true', 'false')),
    'generation_count', generation_count, 'version', version,
    'created_at', strftime('${TIME}', created_at), 'updated_at', strftime('${TIME}', updated_at))`
  const answered = `${text} AS text, '"' || version || '.' || generation_count || '"' AS tag`
  const page = `SELECT ${text} FROM personas WHERE is_active ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?`
  return {
    get: database.prepare(`SELECT ${answered} FROM personas WHERE id = ?`),
    page: database.prepare(page).pluck(),
    count: database.prepare('SELECT count(*) FROM personas WHERE is_active').pluck(),
    put: database.prepare(
      `UPDATE personas SET base_image_path = ?, version = version + 1,
         updated_at = strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now') WHERE id = ? RETURNING ${answered}`,
    ),
  }
}

function tellParent() {
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'))
  process.send({ type: 'listening' })
}
