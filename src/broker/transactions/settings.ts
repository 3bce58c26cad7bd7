// What transactions may be: times and limits, each with its unit. Tests reach each of them.

export interface TransactionSettings {
  /** A producer may ask for a timeout of at most so long (transaction.max.timeout.ms): a hung one holds its readers up. */
  readonly timeoutMsMax: number
  /** A transactional id that nobody used for so long is forgotten (transactional.id.expiration.ms). */
  readonly idExpirationMs: number
  /** How often that is looked at. */
  readonly sweepEachMs: number
  /** Transactional ids; when there are more, the one without a transaction that was used longest ago is forgotten. */
  readonly idsMax: number
  /** UTF-8 bytes of a transactional id. */
  readonly idBytesMax: number
  /** Partitions in open transactions, all transactions together. */
  readonly placesMax: number
  /** Groups in open transactions, all transactions together. */
  readonly groupsMax: number
  /** Memory that offsets of one open transaction may take, about: they are committed in one step. */
  readonly stagedBytesMax: number
  /** The same, of all open transactions together. */
  readonly allStagedBytesMax: number
  /** When the disk did not take the end of a transaction that timed out or hangs, it is tried again after so long. */
  readonly retryMs: number
}

const MiB = 1024 * 1024
const hourMs = 3_600_000
export const transactionDefaults: TransactionSettings = {
  timeoutMsMax: 60_000,
  idExpirationMs: 7 * 24 * hourMs,
  sweepEachMs: hourMs,
  idsMax: 100_000,
  idBytesMax: 4_096,
  placesMax: 200_000,
  groupsMax: 20_000,
  stagedBytesMax: 4 * MiB,
  allStagedBytesMax: 64 * MiB,
  retryMs: 1_000,
}
