// What the codecs refuse: bytes of a peer that are not what the protocol says. Never thrown for our own mistakes.

/**
 * Kafka's names, as far as bytes alone can earn them. CORRUPT_MESSAGE: checksum or framing is wrong, a retry may help.
 * INVALID_RECORD: well framed, but says what no producer may say. MESSAGE_TOO_LARGE: above a named limit.
 * INVALID_REQUEST: a message that cannot be decoded.
 */
export type WireErrorCode = 'CORRUPT_MESSAGE' | 'INVALID_RECORD' | 'MESSAGE_TOO_LARGE' | 'INVALID_REQUEST'

export class WireError extends Error {
  override name = 'WireError'
  readonly code: WireErrorCode
  constructor(code: WireErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
