// Event time of one topic: a watermark per partition, idle marks, and the global watermark that closes windows.
import type { Batch } from './columns.ts'
import type { PartitionProgress } from './engine.ts'
import type { StateReader, StateWriter } from './state-bytes.ts'

/** How the time of a partition stands. */
export interface PartitionTime {
  readonly watermarkMs: number
  readonly eventTimeMsMax: number
}

export class SourceTime {
  readonly partitions: number
  readonly #outOfOrderMs: number
  /** Bounded input has no watermark until it ends: nothing is late. */
  readonly #bounded: boolean
  #watermarks: Float64Array
  #eventTimeMsMax: Float64Array
  #idle: Uint8Array
  /** On the thread of a shard: the partitions it reads. */
  readonly #read = new Set<number>()
  globalMs = Number.NEGATIVE_INFINITY

  constructor(partitions: number, outOfOrderMs: number, bounded: boolean) {
    this.partitions = partitions
    this.#outOfOrderMs = outOfOrderMs
    this.#bounded = bounded
    this.#watermarks = new Float64Array(partitions).fill(Number.NEGATIVE_INFINITY)
    this.#eventTimeMsMax = new Float64Array(partitions).fill(Number.NEGATIVE_INFINITY)
    this.#idle = new Uint8Array(partitions)
  }
  /**
   * Wakes an idle partition: it is raised to the global watermark first. The watermark it was raised to, or null.
   * `floorMs`: a Plan over several topics may have gone on beyond this one's; its operators hold rows to that themselves.
   */
  wake(partition: number, floorMs: number): number | null {
    if (this.#idle[partition] === 0) return null
    this.#idle[partition] = 0
    const before = this.#watermarks[partition]!
    if (before < this.globalMs) this.#watermarks[partition] = this.globalMs
    const raisedMs = Math.max(floorMs, this.globalMs)
    return raisedMs > before ? raisedMs : null
  }
  /** Tells each row the watermark of its partition once the row had been seen. */
  stamp(batch: Batch): void {
    const { partition, rows, times, watermarks } = batch
    let newest = this.#eventTimeMsMax[partition]!
    let watermark = this.#watermarks[partition]!
    const bound = this.#bounded ? Number.POSITIVE_INFINITY : this.#outOfOrderMs
    for (let row = 0; row < rows; row++) {
      const time = times[row]!
      if (time > newest) newest = time
      const reached = time - bound
      if (reached > watermark) watermark = reached
      watermarks[row] = watermark
    }
    this.#eventTimeMsMax[partition] = newest
    this.#watermarks[partition] = watermark
  }
  /** The partition as another thread has read it. */
  observe(partition: number, eventTimeMsMax: number, watermarkMs: number): void {
    if (eventTimeMsMax > this.#eventTimeMsMax[partition]!) this.#eventTimeMsMax[partition] = eventTimeMsMax
    if (watermarkMs > this.#watermarks[partition]!) this.#watermarks[partition] = watermarkMs
  }
  isIdle(partition: number): boolean {
    return this.#idle[partition] === 1
  }
  /** As it will be once the next batch has come. */
  wakingAt(partition: number): PartitionTime {
    const watermarkMs = this.#watermarks[partition]!
    return {
      watermarkMs: this.#idle[partition] === 1 ? Math.max(watermarkMs, this.globalMs) : watermarkMs,
      eventTimeMsMax: this.#eventTimeMsMax[partition]!,
    }
  }
  /** The other side of `wakingAt`: from here on the partition is one of those this thread reads. */
  setPartition(partition: number, { watermarkMs, eventTimeMsMax }: PartitionTime, idle: boolean): void {
    this.#read.add(partition)
    this.#watermarks[partition] = watermarkMs
    this.#eventTimeMsMax[partition] = eventTimeMsMax
    this.#idle[partition] = idle ? 1 : 0
  }
  /** The least watermark of the partitions this thread reads; -Infinity where none of them holds it. */
  get leastReadMs(): number {
    let least = Number.POSITIVE_INFINITY
    for (const partition of this.#read)
      if (this.#idle[partition] === 0 && this.#watermarks[partition]! < least) least = this.#watermarks[partition]!
    return least === Number.POSITIVE_INFINITY ? Number.NEGATIVE_INFINITY : least
  }
  markIdle(partition: number): void {
    if (partition < this.partitions) this.#idle[partition] = 1
  }
  /** Minimum over partitions that are not idle; never falls; stays where all are idle. */
  advance(): number {
    let least = Number.POSITIVE_INFINITY
    for (let i = 0; i < this.partitions; i++)
      if (this.#idle[i] === 0 && this.#watermarks[i]! < least) least = this.#watermarks[i]!
    if (least !== Number.POSITIVE_INFINITY && least > this.globalMs) this.globalMs = least
    return this.globalMs
  }
  /** Nothing of the topic holds time back. */
  get allIdle(): boolean {
    return !this.#idle.includes(0)
  }
  finish(): void {
    this.globalMs = Number.POSITIVE_INFINITY
    this.#watermarks.fill(Number.POSITIVE_INFINITY)
  }
  progress(): PartitionProgress[] {
    return Array.from({ length: this.partitions }, (_, partition) => ({
      partition,
      watermarkMs: this.#watermarks[partition]!,
      idle: this.#idle[partition] === 1,
      eventTimeMsMax: this.#eventTimeMsMax[partition]!,
    }))
  }
  write(out: StateWriter): void {
    out.f64(this.globalMs)
    out.floats(this.#watermarks, this.partitions)
    out.floats(this.#eventTimeMsMax, this.partitions)
    out.raw(this.#idle)
  }
  restore(from: StateReader): void {
    this.globalMs = from.f64()
    this.#watermarks = from.floats()
    this.#eventTimeMsMax = from.floats()
    this.#idle = from.raw()
  }
}
