// `decayed-sum`: at each row, the sum of a value over all rows of its key so far, each worth half as much per half-life
// since. Rows come out as `over` gives them: once, in the order of time, when nothing can change them any more; so arrival
// and batches cannot change a bit. A key's sum is carried forward from moment to moment and never grows by scaling, so it
// cannot overflow where the values do not; values of one moment are added exactly.
//
// Stated tolerance: 10^-12 of the sum of the decayed magnitudes. A key that is silent for 64 half-lives starts anew: what
// was there is less than 2^-64 of itself.
import type { PlanNode } from '../query/plan.ts'
import { typeOf } from '../query/plan.ts'
import type { Batch } from './columns.ts'
import { LimbSums, sumOf } from './exact-sums.ts'
import { lowerNumbers, type NumberEvaluator } from './expressions.ts'
import { grownFloats } from './int-set.ts'
import type { Moments } from './moments.ts'
import type { Operator, OperatorContext, RowSink } from './operator.ts'
import type { LoweredOperator } from './operators.ts'
import { heldMoments } from './over-aggregate.ts'
import { RecentEvidence } from './recent-evidence.ts'
import { ON_TIME } from './results.ts'
import type { StateReader, StateWriter } from './state-bytes.ts'

export type DecayedSumNode = PlanNode & { readonly kind: 'decayed-sum' }

const SILENT_HALF_LIVES = 64
/** Keys that are over are looked for when there are twice as many as were left the last time, and so many at least. */
const SWEEP_KEYS_MIN = 4096

/** The greatest float stands for what is beyond. */
function finite(value: number): number {
  return Math.min(Number.MAX_VALUE, Math.max(-Number.MAX_VALUE, value))
}

export function lowerDecayedSum(context: OperatorContext<DecayedSumNode>): LoweredOperator {
  const { node, lanes, out } = context
  const input = context.inputs[0]!
  const type = typeOf(node.value)
  const operator = new DecayedSum(heldMoments(context, node.keys, []), out, {
    value: lowerNumbers(node.value, (name) => input.placeOf(name).slot),
    unit: type.kind === 'money' || type.kind === 'decimal' ? 10 ** type.scale : 1,
    halfLifeMs: node.halfLifeMs,
    // The column that the input does not have is the sum.
    columns: node.columns.map(({ name }) => input.columns.findIndex((column) => column.name === name)),
    reachMs: input.reachMs,
    lanes,
  })
  const texts = node.columns.map(({ name }) =>
    input.columns.some((column) => column.name === name) ? input.placeOf(name).dictionary : null,
  )
  return { operator, texts, updates: false, reachMs: 0 }
}

interface DecayedSettings {
  readonly value: NumberEvaluator
  /** Held values in one unit of the result. */
  readonly unit: number
  readonly halfLifeMs: number
  /** Of the result, by columns of the row; -1 is the sum. */
  readonly columns: readonly number[]
  readonly reachMs: number
  readonly lanes: number
}

class DecayedSum implements Operator {
  readonly #moments: Moments
  readonly #out: RowSink
  readonly #settings: DecayedSettings
  /** By cell: the sum of its values. */
  readonly #added = new LimbSums()
  /** By key: its sum at a time; NaN: it has none. */
  #sums: Float64Array<ArrayBuffer> = new Float64Array(0)
  #atMs: Float64Array<ArrayBuffer> = new Float64Array(0)
  #keys = 0
  #sweepAt = SWEEP_KEYS_MIN
  readonly #evidence: RecentEvidence
  #reachedMs = Number.NEGATIVE_INFINITY

  constructor(moments: Moments, out: RowSink, settings: DecayedSettings) {
    this.#moments = moments
    this.#out = out
    this.#settings = settings
    this.#evidence = new RecentEvidence(settings.lanes, settings.halfLifeMs * SILENT_HALF_LIVES)
  }
  push(_input: number, batch: Batch, rows: Int32Array, count: number): void {
    const values = this.#settings.value(batch)
    const taken = this.#moments.take(batch, rows, count, (cell) => {
      this.#added.grow(this.#moments.high)
      this.#added.clear(cell)
    })
    const { takenRows, takenCells } = this.#moments
    for (let i = 0; i < taken; i++) {
      const value = values[takenRows[i]!]!
      if (!Number.isNaN(value)) this.#added.addValue(takenCells[i]!, value)
    }
  }
  advance(watermarkMs: number): number {
    const limitMs = watermarkMs - this.#settings.reachMs
    if (limitMs > this.#reachedMs) {
      this.#moments.pass(limitMs, (timeMs, cells, rows) => this.#visit(timeMs, cells, rows))
      this.#reachedMs = limitMs
      if (this.#keys > this.#sweepAt) this.#sweep()
    }
    return limitMs
  }
  #visit(timeMs: number, cells: readonly number[], rows: readonly number[]): void {
    const { groupOf } = this.#moments
    for (const cell of cells) this.#enter(timeMs, cell, groupOf[cell]!)
    for (const row of rows) this.#evidence.take(timeMs, this.#moments.rows, row)
    const evidence = this.#out.addEvidence(this.#evidence.span(), 0)
    const { cellOf } = this.#moments
    for (const row of rows) {
      this.#out.addRow(ON_TIME, evidence, timeMs)
      this.#settings.columns.forEach((from, column) => {
        if (from < 0) this.#out.setNumber(column, this.#sums[groupOf[cellOf[row]!]!]!, 0)
        else this.#moments.rows.give(this.#out, column, from, row)
      })
    }
    for (const cell of cells) this.#moments.giveBack(cell)
  }
  #enter(timeMs: number, cell: number, group: number): void {
    const { halfLifeMs, unit } = this.#settings
    this.#grow(group + 1)
    const added = finite(sumOf(this.#added, cell)) / unit
    if (Number.isNaN(this.#sums[group]!)) {
      // The key is kept for as long as it has a sum.
      this.#moments.groups.use(group)
      this.#keys++
      this.#sums[group] = added
    } else {
      const halfLives = (timeMs - this.#atMs[group]!) / halfLifeMs
      const left = halfLives < SILENT_HALF_LIVES ? this.#sums[group]! * 2 ** -halfLives : 0
      // Adding 0 turns -0 into 0.
      this.#sums[group] = finite(left + added) + 0
    }
    this.#atMs[group] = timeMs
  }
  #grow(groups: number): void {
    const before = this.#sums.length
    this.#sums = grownFloats(this.#sums, groups)
    this.#sums.fill(Number.NaN, before)
    this.#atMs = grownFloats(this.#atMs, groups)
  }
  /** Forgets keys that would start anew whenever they came. */
  #sweep(): void {
    const oldestMs = this.#reachedMs - SILENT_HALF_LIVES * this.#settings.halfLifeMs
    for (let group = 0; group < this.#sums.length; group++) {
      if (Number.isNaN(this.#sums[group]!) || this.#atMs[group]! > oldestMs) continue
      this.#sums[group] = Number.NaN
      this.#keys--
      this.#moments.groups.release(group)
    }
    this.#sweepAt = Math.max(SWEEP_KEYS_MIN, this.#keys * 2)
  }
  tick(): void {}

  write(out: StateWriter): void {
    const groups = this.#moments.groups.keys.high
    this.#grow(groups)
    this.#added.grow(this.#moments.high)
    out.f64(this.#reachedMs)
    out.f64(this.#keys)
    out.f64(this.#sweepAt)
    this.#moments.write(out)
    this.#evidence.write(out)
    this.#added.write(out, this.#moments.high)
    out.floats(this.#sums, groups)
    out.floats(this.#atMs, groups)
  }
  restore(from: StateReader): void {
    this.#reachedMs = from.f64()
    this.#keys = from.f64()
    this.#sweepAt = from.f64()
    this.#moments.restore(from)
    this.#evidence.restore(from)
    this.#added.restore(from)
    this.#sums = from.floats()
    this.#atMs = from.floats()
  }
  mark(dictionary: string, live: Uint8Array): void {
    this.#moments.mark(dictionary, live)
  }
  bytes(): number {
    return (
      this.#moments.bytes() +
      this.#evidence.bytes() +
      this.#added.bytes() +
      this.#sums.byteLength +
      this.#atMs.byteLength
    )
  }
}
