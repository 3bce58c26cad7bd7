// What the journal refuses or finds broken: each error says what, where, and the cure.

/**
 * FULL: the disk has no room; nothing was kept, a retry later may succeed. SLOW: more is waiting for the disk than the
 * limit allows; retry. FAILED: a sync failed, the journal is dead until the process is restarted. CLOSED: after close.
 * DAMAGED: bytes that were durable are not there any more. NEWER_FORMAT: written by a newer Millrace. UNKNOWN_FILE: a
 * file that is not ours lies in the folder. TOO_LARGE: a group above the limit.
 */
export type JournalErrorCode =
  | 'FULL'
  | 'SLOW'
  | 'FAILED'
  | 'CLOSED'
  | 'DAMAGED'
  | 'NEWER_FORMAT'
  | 'UNKNOWN_FILE'
  | 'TOO_LARGE'

export class JournalError extends Error {
  override name = 'JournalError'
  readonly code: JournalErrorCode
  constructor(code: JournalErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
