// From the states of a window to its result rows: bounds, group keys in order, values.
import { type AggregateSource, AggregateValues } from './aggregate-values.ts'
import type { Dictionary } from './dictionary.ts'
import type { RowSink } from './operator.ts'
import type { PaneClock } from './pane-clock.ts'
import type { Groups } from './panes.ts'
import type { TimingIndex } from './results.ts'
import type { StateReader, StateWriter } from './state-bytes.ts'
import { compareText } from './text-predicates.ts'
import { compareLanes, type TopRows } from './top.ts'
import type { Place, WindowState } from './window-state.ts'

/** Where a result column comes from. */
export type Source =
  | { readonly from: 'start' | 'end' }
  | { readonly from: 'group'; readonly index: number }
  | AggregateSource

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
  readonly #values: AggregateValues
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
    this.#values = new AggregateValues(states)
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
        default:
          this.#values.give(results, column, source, place, index)
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
        const values = this.#values
        values.compute(source, place, indexOf(a))
        const { low, high } = values
        values.compute(source, place, indexOf(b))
        order = compareLanes(low, high, values.low, values.high, descending)
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
