// What goes wrong with the lake, by kind.
export type LakeErrorCode =
  /** DuckDB said no: the message is its own. */
  | 'REFUSED'
  | 'TOO_SLOW'
  | 'CRASHED'
  | 'CLOSED'
  /** The manifest or a file of it is not what was written. */
  | 'DAMAGED'
  /** What is to be written covers offsets that are in the lake. */
  | 'OVERLAP'
  /** A newer Millrace wrote it. */
  | 'NEWER_FORMAT'

export class LakeError extends Error {
  override name = 'LakeError'
  readonly code: LakeErrorCode
  constructor(code: LakeErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
