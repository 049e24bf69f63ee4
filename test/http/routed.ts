import { type TestApp, UNKNOWN_ID } from './support.js'

/** Every path that the server's router has, as Fastify prints its tree. */
export function routedPaths({ fastify }: TestApp): string[] {
  const paths: string[] = []
  const ancestors: string[] = []
  for (const line of fastify.printRoutes({ commonPrefix: false }).split('\n')) {
    const [, indent, segment] = /^(.*?)[├└]── (\S+) \(/.exec(line) ?? []
    if (indent === undefined || segment === undefined) continue
    ancestors.length = indent.length / 4
    ancestors.push(segment)
    paths.push(ancestors.join(''))
  }
  return paths
}

/** A path of the router as a client may ask for it. */
export function filledIn(path: string): string {
  return path.replace(':id', UNKNOWN_ID).replaceAll(/:\w+/g, '1')
}

/** The methods of a path, in lower case and in order, but for those that every path has. */
export async function methodsOf(app: TestApp, path: string): Promise<string[]> {
  const { headers } = await app.send('OPTIONS', filledIn(path))
  const methods = String(headers.allow).toLowerCase().split(', ')
  return methods.filter((method) => !['head', 'options'].includes(method)).sort()
}
