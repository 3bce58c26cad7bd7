// Where sessions begin and end, by cell: their chains per group, the offsets behind them, and under which bounds they
// were given out.
import { grownFloats, grownInts } from './int-set.ts'
import type { StateReader, StateWriter } from './state-bytes.ts'

export class SessionBounds {
  readonly #partitions: number
  /** Event times of the first and the last record. */
  first: Float64Array<ArrayBuffer> = new Float64Array(0)
  last: Float64Array<ArrayBuffer> = new Float64Array(0)
  group: Int32Array<ArrayBuffer> = new Int32Array(0)
  /** The next session of the group backwards and forwards in time, or -1. */
  older: Int32Array<ArrayBuffer> = new Int32Array(0)
  #newer: Int32Array<ArrayBuffer> = new Int32Array(0)
  /** By group: its newest session, or -1. */
  newest: Int32Array<ArrayBuffer> = new Int32Array(0)
  /** By cell and partition: least and greatest offset; Infinity and -1 where there is none. */
  offsets: Float64Array<ArrayBuffer> = new Float64Array(0)
  /** By cell: the bounds of the row that stands for it outside; NaN where none does. */
  #shownFirst: Float64Array<ArrayBuffer> = new Float64Array(0)
  #shownEnd: Float64Array<ArrayBuffer> = new Float64Array(0)
  /** Where merges left a session with more than one row outside: start, end, start, end, … */
  readonly #shownToo = new Map<number, number[]>()

  constructor(partitions: number) {
    this.#partitions = partitions
  }
  growCells(cells: number): void {
    this.first = grownFloats(this.first, cells)
    this.last = grownFloats(this.last, cells)
    this.group = grownInts(this.group, cells)
    this.older = grownInts(this.older, cells)
    this.#newer = grownInts(this.#newer, cells)
    this.offsets = grownFloats(this.offsets, cells * this.#partitions * 2)
    this.#shownFirst = grownFloats(this.#shownFirst, cells)
    this.#shownEnd = grownFloats(this.#shownEnd, cells)
  }
  growGroups(groups: number): void {
    const before = this.newest.length
    this.newest = grownInts(this.newest, groups)
    this.newest.fill(-1, before)
  }
  endMs(cell: number, gapMs: number): number {
    return this.last[cell]! + gapMs
  }
  /** The newest session of the group that holds the time or is within a gap of it, or -1. */
  find(group: number, timeMs: number, gapMs: number): number {
    const cell = this.#before(group, timeMs, gapMs)
    return cell >= 0 && timeMs < this.last[cell]! + gapMs ? cell : -1
  }
  /** The newest session that does not begin a gap or more after the time, or -1. */
  #before(group: number, timeMs: number, gapMs: number): number {
    let cell = this.newest[group]!
    while (cell >= 0 && this.first[cell]! - timeMs >= gapMs) cell = this.older[cell]!
    return cell
  }
  /** Puts a session of one record into its group's chain. */
  open(cell: number, group: number, timeMs: number, gapMs: number): void {
    this.first[cell] = timeMs
    this.last[cell] = timeMs
    this.group[cell] = group
    const older = this.#before(group, timeMs, gapMs)
    const newer = older < 0 ? this.#oldest(group) : this.#newer[older]!
    this.older[cell] = older
    this.#newer[cell] = newer
    if (older >= 0) this.#newer[older] = cell
    if (newer >= 0) this.older[newer] = cell
    else this.newest[group] = cell
    this.#clear(cell)
  }
  #oldest(group: number): number {
    let cell = this.newest[group]!
    while (cell >= 0 && this.older[cell]! >= 0) cell = this.older[cell]!
    return cell
  }
  #clear(cell: number): void {
    const each = this.#partitions * 2
    for (let at = cell * each; at < (cell + 1) * each; at += 2) {
      this.offsets[at] = Number.POSITIVE_INFINITY
      this.offsets[at + 1] = -1
    }
    this.#shownFirst[cell] = Number.NaN
    this.#shownEnd[cell] = Number.NaN
    this.#shownToo.delete(cell)
  }
  /** Takes a session out of its chain. */
  unlink(cell: number): void {
    const [older, newer] = [this.older[cell]!, this.#newer[cell]!]
    if (older >= 0) this.#newer[older] = newer
    if (newer >= 0) this.older[newer] = older
    else this.newest[this.group[cell]!] = older
    this.#clear(cell)
  }
  /** Two neighbours become the one in cell `into`. */
  merge(older: number, newer: number, into: number): void {
    const from = into === older ? newer : older
    const [first, last] = [this.first[older]!, Math.max(this.last[older]!, this.last[newer]!)]
    const each = this.#partitions * 2
    for (let k = 0; k < each; k += 2) {
      const [at, source] = [into * each + k, from * each + k]
      if (this.offsets[source]! < this.offsets[at]!) this.offsets[at] = this.offsets[source]!
      if (this.offsets[source + 1]! > this.offsets[at + 1]!) this.offsets[at + 1] = this.offsets[source + 1]!
    }
    const shown = [...this.#shown(into), ...this.#shown(from)]
    this.unlink(from)
    this.first[into] = first
    this.last[into] = last
    this.#shownToo.delete(into)
    this.#shownFirst[into] = shown[0] ?? Number.NaN
    this.#shownEnd[into] = shown[1] ?? Number.NaN
    if (shown.length > 2) this.#shownToo.set(into, shown.slice(2))
  }
  #shown(cell: number): number[] {
    if (Number.isNaN(this.#shownFirst[cell]!)) return []
    return [this.#shownFirst[cell]!, this.#shownEnd[cell]!, ...(this.#shownToo.get(cell) ?? [])]
  }
  addOffset(cell: number, partition: number, offset: number): void {
    const at = (cell * this.#partitions + partition) * 2
    if (offset < this.offsets[at]!) this.offsets[at] = offset
    if (offset > this.offsets[at + 1]!) this.offsets[at + 1] = offset
  }
  /** The session is given out under these bounds now: those under which it was before, and is no more, by start. */
  replaced(cell: number, startMs: number, endMs: number): [number, number][] {
    const gone: [number, number][] = []
    if (this.#shownFirst[cell] === startMs && this.#shownEnd[cell] === endMs && !this.#shownToo.has(cell)) return gone
    const shown = this.#shown(cell)
    for (let i = 0; i < shown.length; i += 2)
      if (shown[i] !== startMs || shown[i + 1] !== endMs) gone.push([shown[i]!, shown[i + 1]!])
    this.#shownFirst[cell] = startMs
    this.#shownEnd[cell] = endMs
    this.#shownToo.delete(cell)
    return gone.sort((a, b) => a[0] - b[0] || a[1] - b[1])
  }
  write(out: StateWriter, cells: number, groups: number): void {
    for (const array of [this.first, this.last, this.#shownFirst, this.#shownEnd]) out.floats(array, cells)
    for (const array of [this.group, this.older, this.#newer]) out.ints(array, cells)
    // A group of a batch that was late as a whole never had a place here.
    this.growGroups(groups)
    out.ints(this.newest, groups)
    out.floats(this.offsets, cells * this.#partitions * 2)
    out.u32(this.#shownToo.size)
    for (const [cell, bounds] of this.#shownToo) {
      out.u32(cell)
      out.numbers(bounds)
    }
  }
  restore(from: StateReader): void {
    this.first = from.floats()
    this.last = from.floats()
    this.#shownFirst = from.floats()
    this.#shownEnd = from.floats()
    this.group = from.ints()
    this.older = from.ints()
    this.#newer = from.ints()
    this.newest = from.ints()
    this.offsets = from.floats()
    this.#shownToo.clear()
    const merged = from.u32()
    for (let i = 0; i < merged; i++) this.#shownToo.set(from.u32(), from.numbers())
  }
  bytes(): number {
    return (
      this.first.byteLength * 4 +
      this.group.byteLength * 3 +
      this.newest.byteLength +
      this.offsets.byteLength +
      this.#shownToo.size * 96
    )
  }
}
