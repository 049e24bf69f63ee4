/** What the answers said that the rows hold since: of each persona the latest, which is the one with the highest version. */
export class Ledger {
  #latest = new Map()

  /**
   * An answer to a write.
   * @param {number} index of the persona
   * @param {string} image what was written
   * @param {Buffer} body the answer
   */
  record(index, image, body) {
    const version = versionOf(body)
    const known = this.#latest.get(index)
    if (!known || known.version < version) this.#latest.set(index, { version, image })
  }

  /** So many of the personas that were written, drawn at random; all, if there are no more. */
  sample(count) {
    const written = [...this.#latest.keys()]
    for (let place = 0; place < Math.min(count, written.length); place++) {
      const other = place + Math.floor(Math.random() * (written.length - place))
      ;[written[place], written[other]] = [written[other], written[place]]
    }
    return written.slice(0, count)
  }

  /**
   * Whether the row is what its last write made of it.
   * @param {number} index of the persona
   * @param {Buffer} body the answer to a read, after all writes had been answered
   */
  agrees(index, body) {
    const { base_image_path: image, version } = JSON.parse(body.toString())
    const latest = this.#latest.get(index)
    return latest !== undefined && latest.image === image && latest.version === version
  }
}

const VERSION = '"version":'

/** The version in a persona's document, without reading all of it. */
function versionOf(body) {
  const start = body.lastIndexOf(VERSION)
  return Number.parseInt(body.toString('latin1', start + VERSION.length, start + VERSION.length + 12), 10)
}
