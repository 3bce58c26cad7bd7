// Reads every settled file once a day, slowly, and names what the disk no longer gives back as it was written. Changes
// nothing. (Segments of the journal are read through when they are settled, minutes after they were finished.)

import { LogError } from '../../log/log.ts'
import type { WriteLog } from '../../std/log-line.ts'
import { FsError, type Timer, type World } from '../../world/world.ts'
import type { SettledFile } from '../settled/file-format.ts'
import { checkFile } from '../settled/file-walk.ts'
import type { Settled } from '../settled/settled.ts'

export interface ScrubSettings {
  /** From the begin of one pass to the begin of the next. */
  readonly everyMs: number
  /** The first pass begins so long after the start. */
  readonly firstAfterMs: number
  readonly bytesPerSecondMax: number
}
export const scrubDefaults: ScrubSettings = {
  everyMs: 86_400_000,
  firstAfterMs: 600_000,
  bytesPerSecondMax: 5 << 20,
}
export interface ScrubStats {
  /** Passes that came to their end, and when the last one did; null: none has. */
  readonly passes: number
  readonly lastPassMs: number | null
  readonly filesRead: number
  readonly bytesRead: number
  readonly damaged: readonly DamagedStretch[]
}
export interface DamagedStretch {
  readonly path: string
  readonly topicKey: number
  readonly partition: number
  /** Offsets that cannot be read: from the first one to before the second. */
  readonly from: number
  readonly to: number
}
/** Named, at most; more are only told as one more. */
const damagedMax = 1000
const stepsPerSecond = 5

/** A settled file does not hold what it held. */
export class ScrubError extends Error {
  override name = 'ScrubError'
}

export class Scrub {
  readonly #world: World
  readonly #settled: Settled
  readonly #settings: ScrubSettings
  readonly #nameOf: (topicKey: number) => string
  readonly #write: WriteLog
  #timer: Timer | null = null
  #closed = false
  #waiting: SettledFile[] = []
  #step: (() => boolean) | null = null
  #passes = 0
  #lastPassMs: number | null = null
  #filesRead = 0
  #bytesRead = 0
  #passBeganMono = 0
  #damaged: DamagedStretch[] = []
  /** Of the pass under way: at its end they are all there is. */
  #found: DamagedStretch[] = []

  constructor(
    world: World,
    settled: Settled,
    nameOf: (topicKey: number) => string,
    settings: ScrubSettings,
    write: WriteLog,
  ) {
    this.#world = world
    this.#settled = settled
    this.#nameOf = nameOf
    this.#settings = settings
    this.#write = write
  }

  start(): void {
    this.#later(this.#settings.firstAfterMs, () => this.#begin())
  }
  #later(delayMs: number, run: () => void): void {
    if (!this.#closed) this.#timer = this.#world.clock.timer(delayMs, run, { background: true })
  }
  #begin(): void {
    this.#passBeganMono = this.#world.clock.monoMs()
    this.#found = []
    this.#waiting = [...this.#settled.partitions()].flatMap(({ files }) => [...files]).reverse()
    this.#go()
  }
  #go(): void {
    this.#step ??= this.#next()
    if (this.#step === null) {
      this.#end()
      return
    }
    if (!this.#step()) this.#step = null
    this.#later(1000 / stepsPerSecond, () => this.#go())
  }
  #end(): void {
    this.#passes++
    this.#lastPassMs = this.#world.clock.nowMs()
    this.#damaged = this.#found
    const tookMs = this.#world.clock.monoMs() - this.#passBeganMono
    this.#write('info', 'broker', 'all settled files were read', {
      files: this.#filesRead,
      damaged: this.#damaged.length,
    })
    this.#later(Math.max(0, this.#settings.everyMs - tookMs), () => this.#begin())
  }

  /** Reads on in the next file; null: there is none. */
  #next(): (() => boolean) | null {
    let file = this.#waiting.pop()
    // Dropped or replaced since the pass began.
    while (file !== undefined && !this.#settled.has(file)) file = this.#waiting.pop()
    if (file === undefined) return null
    const of = file
    const stepBytes = Math.max(65_536, Math.floor(this.#settings.bytesPerSecondMax / stepsPerSecond))
    let expected = of.start
    let broken = false
    const tell = (to: number): void => {
      broken = false
      this.#tell(of, expected, to)
    }
    const walk = this.#settled.walk(of, Math.min(stepBytes, 1 << 20))
    const step = checkFile(
      walk,
      ({ entry }) => {
        if (broken || (entry.baseOffset > expected && !of.compacted && of.topicKey !== 0)) tell(entry.baseOffset)
        expected = entry.lastOffset + 1
      },
      () => {
        broken = true
      },
    )
    this.#filesRead++
    return () => {
      const before = walk.after
      try {
        const goesOn = step(stepBytes)
        this.#bytesRead += walk.after - before
        if (!goesOn && (broken || (expected < of.end && !of.compacted))) tell(of.end)
        return goesOn
      } catch (error) {
        // Retention or a compaction was quicker.
        if (error instanceof LogError) return false
        if (!(error instanceof FsError)) throw error
        if (this.#settled.has(of)) tell(of.end)
        return false
      }
    }
  }
  #tell(file: SettledFile, from: number, to: number): void {
    const path = this.#settled.pathOf(file)
    const { topicKey, partition } = file
    const stretch = { path, topicKey, partition, from, to }
    if (this.#found.length < damagedMax) this.#found.push(stretch)
    // Told at once; what an earlier pass found and this one has not come to yet stays told.
    const isKnown = this.#damaged.some((each) => each.path === path && each.from === from)
    if (isKnown || this.#damaged.length >= damagedMax) return
    this.#damaged.push(stretch)
    this.#write('error', 'broker', 'a settled file is damaged', {
      path,
      topic: this.#nameOf(topicKey),
      partition,
      from,
      to,
    })
  }

  stats(): ScrubStats {
    return {
      passes: this.#passes,
      lastPassMs: this.#lastPassMs,
      filesRead: this.#filesRead,
      bytesRead: this.#bytesRead,
      damaged: this.#damaged,
    }
  }
  trouble(): ScrubError | null {
    // Of files that are gone by now nobody reads.
    const [first, ...more] = this.#damaged
    if (first === undefined) return null
    const { path, topicKey, partition, from, to } = first
    return new ScrubError(
      `${path} is damaged: offsets ${from} to ${to - 1} of ${this.#nameOf(topicKey)}-${partition} cannot be read` +
        `${more.length === 0 ? '' : `, and ${more.length} more stretches`}. Nothing was deleted. Stop Millrace, then restore a ` +
        'backup (millrace restore), or see what a repair would lose (millrace broker repair).',
    )
  }
  close(): void {
    this.#closed = true
    this.#timer?.cancel()
  }
}
