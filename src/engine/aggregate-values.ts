// From states to the values of aggregates: numbers in two lanes, texts by id, exact ratios.
import type { Dictionary } from './dictionary.ts'
import type { RowSink } from './operator.ts'
import { exactRatio, quickRatio } from './ratio.ts'
import { LANE } from './sum-state.ts'
import type { Place, WindowState } from './window-state.ts'

/** Where the value of an aggregate comes from. `count` is a state whose zero makes the value null, or -1. */
export type AggregateSource =
  | NumberSource
  /** The state holds the id of a text. */
  | { readonly from: 'text'; readonly state: number; readonly dictionary: Dictionary<string> }
export type NumberSource =
  | { readonly from: 'state'; readonly state: number; readonly count: number }
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

export class AggregateValues {
  /** The number computed last: low + high * 2^52, NaN for null. */
  low = 0
  high = 0
  readonly #states: readonly WindowState[]

  constructor(states: readonly WindowState[]) {
    this.#states = states
  }
  /** Sets the column of the row that is open. */
  give(out: RowSink, column: number, source: AggregateSource, place: Place, index: number): void {
    if (source.from === 'text') {
      const id = this.#states[source.state]!.read(place, index)
      out.setId(column, Number.isNaN(id) ? -1 : id, source.dictionary)
      return
    }
    this.compute(source, place, index)
    out.setNumber(column, this.low, this.high)
  }
  compute(source: NumberSource, place: Place, index: number): void {
    if (source.from === 'state') {
      const state = this.#states[source.state]!
      const isNull = source.count >= 0 && this.#states[source.count]!.read(place, index) === 0
      this.#set(isNull ? Number.NaN : state.read(place, index), isNull ? 0 : state.readHigh(place, index))
    } else if (source.from === 'float') this.#set(source.read(place, index), 0)
    else this.#ratio(source, place, index)
  }
  #set(low: number, high: number): void {
    this.low = low
    this.high = high
  }
  #ratio(source: NumberSource & { from: 'ratio' }, place: Place, index: number): void {
    const [over, under] = [this.#states[source.numerator]!, this.#states[source.denominator]!]
    const [low, high] = [over.read(place, index), over.readHigh(place, index)]
    const [lowUnder, highUnder] = [under.read(place, index), under.readHigh(place, index)]
    const isNull = source.count >= 0 && this.#states[source.count]!.read(place, index) === 0
    const isAbsent = Number.isNaN(low) || Number.isNaN(lowUnder)
    if (isNull || isAbsent || (lowUnder === 0 && highUnder === 0)) {
      this.#set(Number.NaN, 0)
      return
    }
    const quick = high === 0 && highUnder === 0 ? quickRatio(low, lowUnder, source.shift) : Number.NaN
    if (!Number.isNaN(quick)) {
      this.#set(quick, 0)
      return
    }
    const lane = BigInt(LANE)
    const whole = BigInt(highUnder) * lane + BigInt(lowUnder)
    // Lanes of opposite signs may be 0 together.
    if (whole === 0n) {
      this.#set(Number.NaN, 0)
      return
    }
    const exact = exactRatio(BigInt(high) * lane + BigInt(low), whole, source.shift)
    this.#set(Number(exact % lane), Number(exact / lane))
  }
}
