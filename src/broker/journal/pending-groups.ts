// The groups between being taken and being durable: those that wait, and those in flight to the disk.
import type { JournalError } from './journal-error.ts'
import type { Segment } from './segment.ts'

/** What becomes of a group; exactly one of the two is called, synchronously, groups in order (undone: newest first). */
export interface Outcome {
  durable(): void
  undone(error: JournalError): void
}

export interface Group {
  readonly segment: Segment
  /** Of the stream, before and after the group. */
  readonly from: number
  readonly to: number
  readonly firstLsn: number
  readonly lastLsn: number
  /** The stream of each entry, for taking them back. */
  readonly streams: readonly number[]
  readonly outcome: Outcome | null
  /** By the monotonic clock. */
  readonly takenMs: number
}

export class PendingGroups {
  #waiting: Group[] = []
  #inFlight: Group[] = []
  /** Of the stream, of all groups here. */
  bytes = 0

  /** The group that waits longest. */
  get next(): Group | undefined {
    return this.#waiting[0]
  }
  /** For how long the oldest group has been on its way to the disk; 0 if there is none. */
  waitingMs(nowMs: number): number {
    return nowMs - ((this.#inFlight[0] ?? this.#waiting[0])?.takenMs ?? nowMs)
  }
  add(group: Group): void {
    this.#waiting.push(group)
    this.bytes += group.to - group.from
  }
  /** Moves whole groups of the next one's segment into flight, up to `bytesMax` (one larger group goes alone). */
  launch(bytesMax: number): readonly Group[] {
    const segment = this.#waiting[0]?.segment
    let count = 0
    let bytes = 0
    for (const group of this.#waiting) {
      const more = group.to - group.from
      if (group.segment !== segment || (count > 0 && bytes + more > bytesMax)) break
      bytes += more
      count++
    }
    this.#inFlight = this.#waiting.splice(0, count)
    return this.#inFlight
  }
  /** What was in flight could not be written, and waits again. */
  relaunch(): void {
    this.#waiting.unshift(...this.#inFlight)
    this.#inFlight = []
  }
  /** What was in flight is durable. */
  land(): readonly Group[] {
    const landed = this.#inFlight
    this.#inFlight = []
    for (const group of landed) this.bytes -= group.to - group.from
    return landed
  }
  /** All that is here, newest first; nothing stays. */
  takeBack(): readonly Group[] {
    const groups = [...this.#inFlight, ...this.#waiting].reverse()
    this.#inFlight = []
    this.#waiting = []
    this.bytes = 0
    return groups
  }
}
