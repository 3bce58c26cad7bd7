// From the states of a window to its result rows: bounds, group keys in order, values, exact ratios.
import type { Dictionary } from './dictionary.ts'
import type { RowSink } from './operator.ts'
import type { PaneClock } from './pane-clock.ts'
import type { Groups } from './panes.ts'
import { exactRatio, quickRatio } from './ratio.ts'
import type { TimingIndex } from './results.ts'
import type { StateReader, StateWriter } from './state-bytes.ts'
import { LANE } from './sum-state.ts'
import { compareText } from './text-predicates.ts'
import { compareLanes, type TopRows } from './top.ts'
import type { Place, WindowState } from './window-state.ts'

/** Where a result column comes from. `count` is a state whose zero makes the value null, or -1. */
export type Source =
  | { readonly from: 'start' | 'end' }
  | { readonly from: 'group'; readonly index: number }
  | { readonly from: 'state'; readonly state: number; readonly count: number }
  /** The state holds the id of a text. */
  | { readonly from: 'text'; readonly state: number; readonly dictionary: Dictionary<string> }
  /** Read with more than a place: a quantile by its fraction. */
  | { readonly from: 'float'; readonly read: (place: Place, index: number) => number }
  /** numerator * 10^shift / denominator. */
  | {
      readonly from: 'ratio'
      readonly numerator: number
      readonly denominator: number
      readonly count: number
      readonly shift: number
    }

/** How the ids of a group column read. */
export type GroupColumn =
  | { readonly kind: 'text'; readonly dictionary: Dictionary<string> }
  | { readonly kind: 'number'; readonly dictionary: Dictionary<number> }

/** Only the first rows of each window come out, by these columns. */
export interface TopOfRows {
  readonly rows: TopRows
  readonly by: readonly { readonly source: Source; readonly descending: boolean }[]
}

export class WindowRows {
  readonly #top: TopOfRows | null
  /** The value computed last: low + high * 2^52, NaN for null. */
  #low = 0
  #high = 0
  readonly #sources: readonly Source[]
  readonly #columns: readonly GroupColumn[]
  readonly #states: readonly WindowState[]
  readonly #groups: Groups
  readonly #results: RowSink
  constructor(
    sources: readonly Source[],
    columns: readonly GroupColumn[],
    states: readonly WindowState[],
    groups: Groups,
    results: RowSink,
    top: TopOfRows | null,
  ) {
    this.#top = top
    this.#sources = sources
    this.#columns = columns
    this.#states = states
    this.#groups = groups
    this.#results = results
  }

  evidence(offsets: Float64Array, from: number): number {
    return this.#results.addEvidence(offsets, from)
  }
  emit(
    startMs: number,
    endMs: number,
    timing: TimingIndex,
    evidence: number,
    place: Place,
    index: number,
    group: number,
  ): void {
    const results = this.#results
    results.addRow(timing, evidence, endMs - 1)
    for (let column = 0; column < this.#sources.length; column++) {
      const source = this.#sources[column]!
      switch (source.from) {
        case 'start':
          results.setNumber(column, startMs, 0)
          break
        case 'end':
          results.setNumber(column, endMs, 0)
          break
        case 'group':
          this.#setGroup(column, source.index, group)
          break
        case 'state': {
          const state = this.#states[source.state]!
          if (source.count >= 0 && this.#states[source.count]!.read(place, index) === 0)
            results.setNumber(column, Number.NaN, 0)
          else results.setNumber(column, state.read(place, index), state.readHigh(place, index))
          break
        }
        case 'text': {
          const id = this.#states[source.state]!.read(place, index)
          results.setId(column, Number.isNaN(id) ? -1 : id, source.dictionary)
          break
        }
        case 'float':
          results.setNumber(column, source.read(place, index), 0)
          break
        case 'ratio':
          this.#ratio(source, place, index)
          results.setNumber(column, this.#low, this.#high)
          break
      }
    }
  }
  /** A window's rows must be given out all at once, never only those that changed. */
  get whole(): boolean {
    return this.#top !== null
  }
  /** Rows of one window, in the order of their groups. */
  emitGroups(
    startMs: number,
    endMs: number,
    timing: TimingIndex,
    evidence: number,
    place: Place,
    groups: number[],
    indexOf: (group: number) => number,
  ): void {
    this.sort(groups)
    const top = this.#top
    if (top === null) {
      for (const group of groups) this.emit(startMs, endMs, timing, evidence, place, indexOf(group), group)
      return
    }
    const chosen = top.rows.choose(groups, (a, b) => this.#rank(top, place, indexOf, a, b))
    for (const group of top.rows.replace(endMs, chosen)) this.retract(startMs, endMs, timing, evidence, group)
    for (const group of chosen) this.emit(startMs, endMs, timing, evidence, place, indexOf(group), group)
  }
  #rank(top: TopOfRows, place: Place, indexOf: (group: number) => number, a: number, b: number): number {
    for (const { source, descending } of top.by) {
      let order = 0
      if (source.from === 'group') order = this.#compareColumn(source.index, a, b, descending)
      else if (source.from === 'text') {
        const state = this.#states[source.state]!
        const [x, y] = [state.read(place, indexOf(a)), state.read(place, indexOf(b))]
        if (Number.isNaN(x) || Number.isNaN(y)) order = Number(Number.isNaN(x)) - Number(Number.isNaN(y))
        else {
          order = compareText(source.dictionary.valueOf(x), source.dictionary.valueOf(y))
          if (descending) order = 0 - order
        }
      } else if (source.from === 'state' || source.from === 'ratio' || source.from === 'float') {
        this.#value(source, place, indexOf(a))
        const [low, high] = [this.#low, this.#high]
        this.#value(source, place, indexOf(b))
        order = compareLanes(low, high, this.#low, this.#high, descending)
      }
      if (order !== 0) return order
    }
    return 0
  }
  /** Nulls last, whichever way. */
  #compareColumn(index: number, a: number, b: number, descending: boolean): number {
    const [x, y] = [this.#idOf(a, index), this.#idOf(b, index)]
    if (x === y) return 0
    if (x < 0 || y < 0) return x < 0 ? 1 : -1
    const order = this.#compareIds(index, x, y)
    return descending ? 0 - order : order
  }
  #compareIds(index: number, x: number, y: number): number {
    const of = this.#columns[index]!
    return of.kind === 'text'
      ? compareText(of.dictionary.valueOf(x), of.dictionary.valueOf(y))
      : of.dictionary.valueOf(x) - of.dictionary.valueOf(y)
  }
  #value(source: Extract<Source, { from: 'state' | 'ratio' | 'float' }>, place: Place, index: number): void {
    if (source.from === 'float') {
      this.#low = source.read(place, index)
      this.#high = 0
      return
    }
    if (source.from === 'ratio') {
      this.#ratio(source, place, index)
      return
    }
    const state = this.#states[source.state]!
    const isNull = source.count >= 0 && this.#states[source.count]!.read(place, index) === 0
    this.#low = isNull ? Number.NaN : state.read(place, index)
    this.#high = isNull ? 0 : state.readHigh(place, index)
  }
  /** Windows that end with this pane or before never come again. */
  forget(clock: PaneClock, pane: number): void {
    this.#top?.rows.forget(Number.isFinite(pane) ? clock.startOf(pane + 1) : pane)
  }
  write(out: StateWriter): void {
    this.#top?.rows.write(out)
  }
  restore(from: StateReader): void {
    this.#top?.rows.restore(from)
  }
  bytes(): number {
    return this.#top?.rows.bytes() ?? 0
  }
  /** Takes back the row of this window and group. */
  retract(startMs: number, endMs: number, timing: TimingIndex, evidence: number, group: number): void {
    this.#results.addRetraction(timing, evidence, endMs - 1)
    for (let column = 0; column < this.#sources.length; column++) {
      const source = this.#sources[column]!
      if (source.from === 'start') this.#results.setNumber(column, startMs, 0)
      else if (source.from === 'end') this.#results.setNumber(column, endMs, 0)
      else if (source.from === 'group') this.#setGroup(column, source.index, group)
    }
  }
  #setGroup(column: number, index: number, group: number): void {
    const id = this.#idOf(group, index)
    const of = this.#columns[index]!
    if (of.kind === 'text') this.#results.setId(column, id, of.dictionary)
    else this.#results.setNumber(column, id < 0 ? Number.NaN : of.dictionary.valueOf(id), 0)
  }
  #idOf(group: number, index: number): number {
    return this.#groups.keys.keys[group * this.#groups.keys.width + index]!
  }
  #ratio(source: Source & { from: 'ratio' }, place: Place, index: number): void {
    const [over, under] = [this.#states[source.numerator]!, this.#states[source.denominator]!]
    const [low, high] = [over.read(place, index), over.readHigh(place, index)]
    const [lowUnder, highUnder] = [under.read(place, index), under.readHigh(place, index)]
    const isNull = source.count >= 0 && this.#states[source.count]!.read(place, index) === 0
    const isAbsent = Number.isNaN(low) || Number.isNaN(lowUnder)
    if (isNull || isAbsent || (lowUnder === 0 && highUnder === 0)) {
      this.#low = Number.NaN
      this.#high = 0
      return
    }
    const quick = high === 0 && highUnder === 0 ? quickRatio(low, lowUnder, source.shift) : Number.NaN
    if (!Number.isNaN(quick)) {
      this.#low = quick
      this.#high = 0
      return
    }
    const lane = BigInt(LANE)
    const whole = BigInt(highUnder) * lane + BigInt(lowUnder)
    // Lanes of opposite signs may be 0 together.
    if (whole === 0n) {
      this.#low = Number.NaN
      this.#high = 0
      return
    }
    const exact = exactRatio(BigInt(high) * lane + BigInt(low), whole, source.shift)
    this.#low = Number(exact % lane)
    this.#high = Number(exact / lane)
  }
  /** Sorts groups by their keys, column by column: nulls first, text by UTF-8 bytes, numbers by value. */
  sort(groups: number[]): number[] {
    return groups.length < 2 ? groups : groups.sort((a, b) => this.compareGroups(a, b))
  }
  compareGroups(a: number, b: number): number {
    for (let index = 0; index < this.#columns.length; index++) {
      const [x, y] = [this.#idOf(a, index), this.#idOf(b, index)]
      if (x === y) continue
      if (x < 0 || y < 0) return x < 0 ? -1 : 1
      return this.#compareIds(index, x, y)
    }
    return 0
  }
}
