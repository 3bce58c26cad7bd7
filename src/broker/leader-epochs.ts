// Leader epochs: with one broker there is one leader, and its epoch rises with every start on a data directory. Each batch
// carries the epoch it was appended in, and each partition knows where its epochs began. So a consumer that has read
// records which a start then did not find (durability `process`, a backup restored) learns where the log was cut
// (KIP-101, KIP-320).
//
//   file `epoch` in the data directory: JSON {"leaderEpoch": n} of the latest start, replaced as a whole before anything
//   is appended; missing or unreadable = start above the epochs that the batches carry
import type { World } from '../world/world.ts'
import { readFully, writeFully } from './journal/file-bytes.ts'

/** Epochs remembered per partition; the oldest are forgotten first, their records then count as the next one's. */
export const partitionEpochsMax = 1_000

export interface EpochEnd {
  readonly leaderEpoch: number
  /** One past the last offset of that epoch. */
  readonly endOffset: number
}

/** The epoch in which batches are appended now; during a replay: of the batch that is met. */
export interface CurrentEpoch {
  current: number
}

/** Of one partition: epochs in which something was appended, and the first offset of each; both ascend. */
export class LeaderEpochs {
  readonly #epochs: number[] = []
  readonly #starts: number[] = []

  /** A batch was placed. */
  note(epoch: number, baseOffset: number): void {
    const last = this.#epochs.at(-1)
    if (last !== undefined && epoch <= last) return
    this.#epochs.push(epoch)
    this.#starts.push(baseOffset)
    if (this.#epochs.length > partitionEpochsMax) {
      this.#epochs.shift()
      this.#starts.shift()
    }
  }
  /** The newest batch, which began here, was taken back. */
  takenBack(baseOffset: number): void {
    if (this.#starts.at(-1) !== baseOffset) return
    this.#epochs.pop()
    this.#starts.pop()
  }
  get latest(): number {
    return this.#epochs.at(-1) ?? -1
  }
  /** The epoch of the record at this offset; `current` where nothing has been appended yet. */
  at(offset: number, end: number, current: number): number {
    if (offset >= end) return current
    let found = this.#epochs[0] ?? current
    for (const [i, epoch] of this.#epochs.entries()) if (this.#starts[i]! <= offset) found = epoch
    return found
  }
  /**
   * The largest epoch that is not above the asked one, and where it ended, as Kafka answers it: for an epoch older than
   * all that are known, itself and the start of what is known. Null for one of the future.
   */
  endOf(asked: number, start: number, end: number, current: number): EpochEnd | null {
    if (asked === current) return { leaderEpoch: asked, endOffset: end }
    if (asked < 0 || asked > current) return null
    let leaderEpoch = asked
    for (const [i, epoch] of this.#epochs.entries()) {
      if (epoch > asked) return { leaderEpoch, endOffset: Math.min(end, Math.max(start, this.#starts[i]!)) }
      leaderEpoch = epoch
    }
    return { leaderEpoch, endOffset: end }
  }

  /** JSON-safe: epoch and first offset in turn. */
  capture(): readonly number[] {
    return this.#epochs.flatMap((epoch, i) => [epoch, this.#starts[i]!])
  }
  restore(captured: readonly number[]): void {
    for (let i = 0; i + 1 < captured.length; i += 2) this.note(captured[i]!, captured[i + 1]!)
  }
}

/** The epoch of this start, written down. The folder's own sync, which makes it durable, is the caller's. */
export async function beginEpoch({ fs }: World, folder: string): Promise<number> {
  const path = `${folder}/epoch`
  let leaderEpoch = 0
  if (fs.stat(path) !== null) {
    const file = fs.open(path, 'read')
    try {
      const bytes = new Uint8Array(64)
      leaderEpoch = epochIn(new TextDecoder().decode(bytes.subarray(0, readFully(file, bytes, 0)))) + 1
    } finally {
      file.close()
    }
  }
  const temporary = `${path}.tmp`
  if (fs.stat(temporary) !== null) fs.unlink(temporary)
  const file = fs.open(temporary, 'create')
  try {
    writeFully(file, new TextEncoder().encode(`${JSON.stringify({ leaderEpoch })}\n`), 0)
    await file.sync()
  } finally {
    file.close()
  }
  fs.rename(temporary, path)
  return leaderEpoch
}
function epochIn(text: string): number {
  const [, digits] = /^\{"leaderEpoch":(\d{1,9})\}/.exec(text) ?? []
  return digits === undefined ? -1 : Number(digits)
}
