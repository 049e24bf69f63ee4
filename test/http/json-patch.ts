import type { PatchOperation } from '../../src/http/json-patch.js'

type Container = Record<string, unknown>

/** Applies a JSON patch (RFC 6902) of adds, removals and replacements to a document; the document stays as it is. */
export function applyJsonPatch(document: unknown, patch: readonly PatchOperation[]): unknown {
  const root: Container = { document: structuredClone(document) }
  for (const operation of patch) {
    const tokens = operation.path.split('/').map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'))
    if (tokens[0] !== '') throw new Error(`${operation.path} is no JSON pointer`)
    tokens[0] = 'document'
    const last = String(tokens.pop())
    const parent = tokens.reduce<Container>((node, token) => node[token] as Container, root)
    if (operation.op !== 'add' && !Object.hasOwn(parent, last)) throw new Error(`${operation.path} is not there`)
    if (operation.op === 'remove') delete parent[last]
    else
      Object.defineProperty(parent, last, {
        value: operation.value,
        enumerable: true,
        configurable: true,
        writable: true,
      })
  }
  return root.document
}
