const SLOTS = 65_536
const FNV_OFFSET = 0x811c9dc5
const FNV_PRIME = 0x01000193

/**
 * Tells who was asked for before, not long ago, in 256 KiB: a cache that is full keeps nobody else. Of many that are each
 * asked for once, one would be kept in place of another for nothing, and those who are asked for often would make room for
 * them. After the doorkeeper of TinyLFU (Einziger, Friedman, Manes 2017), which is a Bloom filter; here a slot has the hash
 * of whom it saw last, so that nothing needs to be emptied. It may be wrong both ways, which costs a read or a place.
 */
export class Doorkeeper {
  readonly #seen = new Uint32Array(SLOTS)

  /** Whether it has seen this one, which it has from now on. */
  knows(key: string): boolean {
    const hash = hashOf(key)
    const slot = hash & (SLOTS - 1)
    const isKnown = this.#seen[slot] === hash
    this.#seen[slot] = hash
    return isKnown
  }
}

/** FNV-1a, of the characters' lower bytes. */
function hashOf(key: string): number {
  let hash = FNV_OFFSET
  for (let index = 0; index < key.length; index++) {
    hash = Math.imul(hash ^ (key.charCodeAt(index) & 0xff), FNV_PRIME)
  }
  return hash >>> 0
}
