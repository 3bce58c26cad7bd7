// Is there room on the disk? Asked once a second at most, and at once again after a write has failed.
//
// Records are taken while `freeBytesMin` is free; what finishes work that was begun (commits, offsets, decisions) down to
// a sixteenth of that, and there the reserve is given up for it; what makes room (deletions) is always tried.
import { unreachable } from '../../std/assert.ts'
import { FsError, type World } from '../../world/world.ts'
import { type EntryKind, entryKind } from './entry.ts'
import { JournalError } from './journal-error.ts'
import { Reserve, type ReserveSettings } from './reserve.ts'

const checkEveryMs = 1000
const progressShare = 16
/** A write that found no room is told so long; whoever has something to write tries again by then. */
const fullToldMs = 5_000

/** How urgent entries are when room is short. */
export type Need = 'records' | 'progress' | 'cure'

/** Of a group, by its first entry. Whoever knows better says so. */
export function needOf(kind: EntryKind): Need {
  switch (kind) {
    case entryKind.batch:
    case entryKind.topic:
      return 'records'
    case entryKind.producer:
    case entryKind.tick:
    case entryKind.jobTaken:
    case entryKind.jobCommit:
    case entryKind.groupOffset:
    case entryKind.transaction:
      return 'progress'
    case entryKind.witness:
    case entryKind.setting:
    case entryKind.logStart:
      return 'cure'
    default:
      return unreachable(kind)
  }
}

export class DiskRoom {
  readonly #world: World
  readonly #folder: string
  readonly #freeBytesMin: number
  readonly #reserve: Reserve | null
  #checkedMono = Number.NEGATIVE_INFINITY
  #freeBytes = Number.POSITIVE_INFINITY
  /** The last write that found no room. */
  #full: { readonly error: JournalError; readonly atMono: number } | null = null

  constructor(world: World, folder: string, freeBytesMin: number, reserve: ReserveSettings | null) {
    this.#world = world
    this.#folder = folder
    this.#freeBytesMin = freeBytesMin
    this.#reserve =
      reserve === null
        ? null
        : new Reserve(world, reserve, (bytes) => {
            this.lookAgain()
            return this.#free() >= freeBytesMin + bytes
          })
  }

  #free(): number {
    // Without a limit nobody needs to ask.
    if (this.#freeBytesMin === 0) return this.#freeBytes
    const mono = this.#world.clock.monoMs()
    if (mono - this.#checkedMono >= checkEveryMs) {
      this.#checkedMono = mono
      this.#freeBytes = this.#world.fs.space(this.#folder).freeBytes
    }
    return this.#freeBytes
  }
  isLow(): boolean {
    return this.#free() < this.#freeBytesMin
  }
  mayTake(need: Need): boolean {
    if (!this.isLow() || need === 'cure') return true
    if (need === 'records') return false
    const floor = this.#freeBytesMin / progressShare
    return this.#free() >= floor || (this.giveUpReserve() && this.#free() >= floor)
  }
  /** A write found no room. True: some was made, it may be tried again. */
  giveUpReserve(): boolean {
    const gaveUp = this.#reserve?.giveUp() ?? false
    this.lookAgain()
    return gaveUp
  }
  lookAgain(): void {
    this.#checkedMono = Number.NEGATIVE_INFINITY
  }
  /** A write found no room, and nothing was left to give up for it. */
  wasFull(cause: unknown): JournalError {
    const error = this.error(cause instanceof Error ? cause.message : String(cause), cause)
    this.#full = { error, atMono: this.#world.clock.monoMs() }
    return error
  }
  written(): void {
    this.#full = null
  }
  /** Why records are not taken at the moment; null: they are. */
  get pause(): JournalError | null {
    if (this.isLow()) return this.lowError()
    const isRecent = this.#full !== null && this.#world.clock.monoMs() - this.#full.atMono < fullToldMs
    return isRecent ? this.#full!.error : null
  }
  error(detail: string, cause?: unknown): JournalError {
    if (cause instanceof FsError && isOutOfFiles(cause)) {
      const cure =
        'Raise the limit (ulimit -n); reading what is open goes on, and appends are taken again by themselves.'
      return new JournalError(
        'FULL',
        `too many files are open to begin another one in ${this.#folder}: ${detail}. ${cure}`,
        { cause },
      )
    }
    return new JournalError(
      'FULL',
      `the disk of ${this.#folder} has no room: ${detail}. Free some (at least ${this.#freeBytesMin} bytes ` +
        'must be free); reading goes on, and appends are taken again by themselves.',
      { cause },
    )
  }
  lowError(): JournalError {
    return this.error(`${this.#free()} bytes are free, records are taken while ${this.#freeBytesMin} are`)
  }
  close(): void {
    this.#reserve?.close()
  }
}

const isOutOfFiles = ({ code }: FsError): boolean => code === 'EMFILE' || code === 'ENFILE'
/** Did it fail for want of something that comes back: room, or numbers for open files? */
export function isPassing(error: unknown): boolean {
  return isFull(error) || (error instanceof FsError && isOutOfFiles(error))
}
/** Did it fail for want of room? A file that may not grow (`ulimit -f`) is as full as a disk. */
export function isFull(error: unknown): boolean {
  return error instanceof FsError && (error.code === 'ENOSPC' || error.code === 'EFBIG' || error.code === 'EDQUOT')
}
