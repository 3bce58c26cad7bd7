// When a finished segment of the journal is settled: at once, or when a burst of appends is over. Settling beside a burst
// costs it a quarter of its speed, and can wait for as long as the journal has plenty of room.
import type { World } from '../world/world.ts'

export interface SettlingTimeSettings {
  /** Smaller segments are settled at once: they are no work. */
  readonly segmentBytesMin: number
  /** With so much in the journal nothing waits any longer. */
  readonly journalBytesMax: number
  /** A burst: more is appended in `windowMs` than this. */
  readonly burstBytes: number
  /** The appends are looked at this often while a segment waits. */
  readonly windowMs: number
}
const mebibyte = 1 << 20
/** Of a journal that may grow to `journalBytesMax`. A burst is 16 MiB a second. */
export function settlingTimeDefaults(journalBytesMax: number): SettlingTimeSettings {
  return {
    segmentBytesMin: 32 * mebibyte,
    journalBytesMax: journalBytesMax / 2,
    burstBytes: 8 * mebibyte,
    windowMs: 500,
  }
}

export interface JournalFill {
  /** Of segments that are not settled. */
  readonly fileBytes: number
  /** Since the start. */
  readonly appendedBytes: number
}

export class SettlingTime {
  readonly #clock: World['clock']
  readonly #settings: SettlingTimeSettings
  /** Where the appends stood when they were last looked at, and how long what was found then holds. */
  #seen: { readonly atMs: number; readonly appendedBytes: number; readonly isQuiet: boolean } | null = null

  constructor(clock: World['clock'], settings: SettlingTimeSettings) {
    this.#clock = clock
    this.#settings = settings
  }

  /** 0: the segment may be settled now. Else ask again after so many milliseconds. */
  waitMs(segmentBytes: number, { fileBytes, appendedBytes }: JournalFill): number {
    const { segmentBytesMin, journalBytesMax, burstBytes, windowMs } = this.#settings
    if (segmentBytes < segmentBytesMin || fileBytes >= journalBytesMax) return 0
    const atMs = this.#clock.monoMs()
    const seen = this.#seen
    const passedMs = seen === null ? 0 : atMs - seen.atMs
    if (seen !== null && passedMs < windowMs) return seen.isQuiet ? 0 : windowMs - passedMs
    // What was seen long ago says nothing of now.
    const isFresh = seen !== null && passedMs < 2 * windowMs
    const isQuiet = isFresh && appendedBytes - seen.appendedBytes <= (burstBytes * passedMs) / windowMs
    this.#seen = { atMs, appendedBytes, isQuiet }
    return isQuiet ? 0 : windowMs
  }
}
