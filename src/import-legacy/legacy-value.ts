/** Text whose bytes are not what the database's encoding allows; `replaced` has U+FFFD in the bad places. */
export class InvalidText {
  constructor(
    readonly bytes: Uint8Array,
    readonly replaced: string,
  ) {}
}

/** A value as SQLite stores it: any storage class may stand in any column. Integers are exact. */
export type LegacyValue = null | bigint | number | string | Uint8Array | InvalidText

/** A value for a JSON report, in full: bytes in hex, integers beyond a double as text. */
export function toReport(value: LegacyValue): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value)
  // JSON has no word for these.
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  if (value instanceof InvalidText) return { invalidTextHex: hex(value.bytes) }
  return value instanceof Uint8Array ? { blobHex: hex(value) } : value
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
