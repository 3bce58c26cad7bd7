// From the states of a window to its result rows: bounds, group keys in order, values, exact ratios.
import { dividedHalfAway } from '../std/decimal.ts'
import type { Dictionary } from './dictionary.ts'
import type { Groups } from './panes.ts'
import type { ResultBuilder, TimingIndex } from './results.ts'
import { LANE } from './sum-state.ts'
import { compareText } from './text-predicates.ts'
import type { Place, WindowState } from './window-state.ts'

/** Where a result column comes from. `count` is a state whose zero makes the value null, or -1. */
export type Source =
  | { readonly from: 'start' | 'end' }
  | { readonly from: 'group'; readonly index: number }
  | { readonly from: 'state'; readonly state: number; readonly count: number }
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

export class WindowRows {
  readonly #sources: readonly Source[]
  readonly #columns: readonly GroupColumn[]
  readonly #states: readonly WindowState[]
  readonly #groups: Groups
  readonly #results: ResultBuilder
  constructor(
    sources: readonly Source[],
    columns: readonly GroupColumn[],
    states: readonly WindowState[],
    groups: Groups,
    results: ResultBuilder,
  ) {
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
    results.addRow(timing, evidence)
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
        case 'ratio':
          this.#setRatio(column, source, place, index)
          break
      }
    }
  }
  /** A window's rows must be given out all at once, never only those that changed. */
  get whole(): boolean {
    return false
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
    for (const group of this.sort(groups)) this.emit(startMs, endMs, timing, evidence, place, indexOf(group), group)
  }
  /** Takes back the row of this window and group. */
  retract(startMs: number, endMs: number, timing: TimingIndex, evidence: number, group: number): void {
    this.#results.addRetraction(timing, evidence)
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
    if (of.kind === 'text') this.#results.setText(column, id < 0 ? null : of.dictionary.valueOf(id))
    else this.#results.setNumber(column, id < 0 ? Number.NaN : of.dictionary.valueOf(id), 0)
  }
  #idOf(group: number, index: number): number {
    return this.#groups.keys.keys[group * this.#groups.keys.width + index]!
  }
  #setRatio(column: number, source: Source & { from: 'ratio' }, place: Place, index: number): void {
    const [over, under] = [this.#states[source.numerator]!, this.#states[source.denominator]!]
    const [low, high] = [over.read(place, index), over.readHigh(place, index)]
    const [lowUnder, highUnder] = [under.read(place, index), under.readHigh(place, index)]
    const isNull = source.count >= 0 && this.#states[source.count]!.read(place, index) === 0
    if (isNull || (lowUnder === 0 && highUnder === 0)) {
      this.#results.setNumber(column, Number.NaN, 0)
      return
    }
    const quick = high === 0 && highUnder === 0 ? quickRatio(low, lowUnder, source.shift) : Number.NaN
    if (!Number.isNaN(quick)) {
      this.#results.setNumber(column, quick, 0)
      return
    }
    const lane = BigInt(LANE)
    const exact = exactRatio(
      BigInt(high) * lane + BigInt(low),
      BigInt(highUnder) * lane + BigInt(lowUnder),
      source.shift,
    )
    this.#results.setNumber(column, Number(exact % lane), Number(exact / lane))
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
      const of = this.#columns[index]!
      return of.kind === 'text'
        ? compareText(of.dictionary.valueOf(x), of.dictionary.valueOf(y))
        : of.dictionary.valueOf(x) - of.dictionary.valueOf(y)
    }
    return 0
  }
}

/** In doubles where every step is exact, else NaN. Half away from zero. */
export function quickRatio(numerator: number, denominator: number, shift: number): number {
  let over = Math.abs(numerator)
  let under = Math.abs(denominator)
  if (shift >= 0) over *= 10 ** shift
  else under *= 10 ** -shift
  if (!(over <= Number.MAX_SAFE_INTEGER && under <= Number.MAX_SAFE_INTEGER / 2)) return Number.NaN
  const rest = over % under
  let quotient = (over - rest) / under
  if (rest * 2 >= under) quotient++
  return numerator < 0 === denominator < 0 ? quotient : 0 - quotient
}
function exactRatio(numerator: bigint, denominator: bigint, shift: number): bigint {
  const negative = denominator < 0n
  return dividedHalfAway(negative ? -numerator : numerator, negative ? -denominator : denominator, shift)
}
