/** The predecessor's file cannot be imported from; the message says why, and what to do. Nothing was written. */
export class LegacyFileError extends Error {
  override readonly name = 'LegacyFileError'
}
