// Runs one Plan: its steps over the rows of a batch, then its window, or the rows themselves.
import type { Aggregation, Column, Expression, Plan, TableData } from '../query/plan.ts'
import { PlanError } from '../query/plan.ts'
import { assert, unreachable } from '../std/assert.ts'
import type { Place } from './aggregate-states.ts'
import type { Batch, BatchColumn } from './columns.ts'
import type { Projection, RefusalReason } from './decoder.ts'
import { Deduplication } from './deduplicate.ts'
import { type Dictionary, numberOf } from './dictionary.ts'
import type { Tick } from './engine.ts'
import { lowerExpression, lowerNumbers } from './expressions.ts'
import { type LookupColumns, lookupColumns } from './lookup.ts'
import type { Lowered, Step } from './lower.ts'
import { isTextKind, ON_TIME, ResultBuilder } from './results.ts'
import type { StateReader, StateWriter } from './state-bytes.ts'
import type { TooLate } from './window-input.ts'
import type { WindowOperator } from './window-operator.ts'
import { lowerWindow } from './window-shape.ts'

export interface RunnerSettings {
  readonly partitions: number
  readonly bounded: boolean
  /** What the source decodes: column i of a batch. */
  readonly projections: readonly Projection[]
  readonly dictionaries: { readonly [column: string]: Dictionary<string> }
}
/** A row that a step refuses: the record becomes a dead letter. */
export type RefuseRow = (row: number, reason: RefusalReason, field: string, message: string) => void
interface Selection {
  rows: Int32Array<ArrayBuffer>
  count: number
}
/** A row that came before. */
export type DuplicateRow = (row: number) => void
type Run = (view: Batch, selection: Selection, refuse: RefuseRow, duplicate: DuplicateRow) => void

/** A tick that comes a little early (timers jitter) still counts for its interval. */
const INTERVAL_SLACK = 0.1
/** Room for a hundred identities: less is a slip of units. */
const DEDUPLICATION_BYTES_MIN = 4096

export class PlanRunner {
  readonly plan: Plan
  readonly topic: string
  readonly results: ResultBuilder
  readonly numbers: { readonly name: string; readonly dictionary: Dictionary<number> }[] = []
  readonly deduplications: Deduplication[] = []
  readonly #runs: Run[] = []
  /** Computations inside aggregates, by the aggregate's name. */
  readonly #computed: readonly { readonly name: string; readonly evaluate: (view: Batch) => Float64Array }[]
  readonly #window: WindowOperator | null
  readonly #output: readonly Place[]
  readonly #places = new Map<string, Place>()
  readonly #slots: BatchColumn[] = []
  readonly #selection: Selection = { rows: new Int32Array(0), count: 0 }
  #view: Batch | null = null
  #emittedAtMs = Number.NEGATIVE_INFINITY

  constructor(lowered: Lowered, settings: RunnerSettings) {
    const { plan } = lowered
    this.plan = plan
    this.topic = lowered.topic
    this.results = new ResultBuilder(plan, settings.partitions)
    settings.projections.forEach(({ name, as }, slot) => {
      const dictionary = settings.dictionaries[name]
      this.#places.set(name, {
        slot,
        dictionary: as === 'id' && dictionary !== undefined ? { name, of: dictionary } : null,
      })
    })
    this.#slots.length = settings.projections.length
    for (const step of lowered.steps) this.#runs.push(this.#lowerStep(step))
    this.#computed = (lowered.window?.aggregates ?? []).flatMap(({ name, aggregate }) =>
      computedIn(aggregate).map((value) => ({
        name,
        evaluate: lowerNumbers(value, (column) => this.#placeOf(column).slot),
      })),
    )
    this.#output = lowered.window === null ? lowered.columns.map(({ name }) => this.#placeOf(name)) : []
    this.#window =
      lowered.window === null
        ? null
        : lowerWindow({
            plan,
            node: lowered.window,
            top: lowered.top,
            columns: lowered.columns,
            placeOf: (name) => this.#placeOf(name),
            partitions: settings.partitions,
            latenessMs: settings.bounded ? 0 : plan.latenessMs,
            results: this.results,
            numbers: this.numbers,
          })
  }

  push(batch: Batch, refuse: RefuseRow, tooLate: TooLate, duplicate: DuplicateRow): void {
    const view = this.#viewOf(batch)
    const selection = this.#selection
    if (selection.rows.length < batch.rows) selection.rows = new Int32Array(batch.rows)
    for (let row = 0; row < batch.rows; row++) selection.rows[row] = row
    selection.count = batch.rows
    for (const run of this.#runs) run(view, selection, refuse, duplicate)
    for (const { name, evaluate } of this.#computed) refuseOverflow(evaluate(view), selection, name, refuse)
    if (this.#window === null) this.#emit(view, selection)
    else this.#window.push(view, selection.rows, selection.count, tooLate)
  }
  /** The batch with room for the plan's own columns behind the source's. */
  #viewOf(batch: Batch): Batch {
    const view = this.#view ?? { ...batch, columns: [...this.#slots] }
    this.#view = view
    view.partition = batch.partition
    view.rows = batch.rows
    view.times = batch.times
    view.watermarks = batch.watermarks
    view.records = batch.records
    view.offsets = batch.offsets
    for (let i = 0; i < batch.columns.length; i++) view.columns[i] = batch.columns[i]!
    return view
  }
  #emit(view: Batch, selection: Selection): void {
    for (let i = 0; i < selection.count; i++) {
      const row = selection.rows[i]!
      this.results.addRow(ON_TIME, this.results.addRecord(view.partition, view.offsets[row]!))
      this.#output.forEach(({ slot }, index) => {
        const column = view.columns[slot]!
        if (column.kind === 'number') this.results.setNumber(index, column.values[row]!, 0)
        else if (column.kind === 'text') this.results.setText(index, column.values[row]!)
        else
          this.results.setText(index, column.values[row]! < 0 ? null : column.dictionary.valueOf(column.values[row]!))
      })
    }
  }
  advance(watermarkMs: number): void {
    this.#window?.advance(watermarkMs)
  }
  tick(tick: Tick): void {
    if (this.#window === null) return
    this.#window.tick(this.#emitsAt(tick))
  }
  #emitsAt(tick: Tick): boolean {
    const { emit } = this.plan
    switch (emit.mode) {
      case 'on-close':
        return false
      case 'on-change':
        return true
      case 'interval':
        if (!tick.interval || tick.atMs - this.#emittedAtMs < emit.everyMs * (1 - INTERVAL_SLACK)) return false
        this.#emittedAtMs = tick.atMs
        return true
      default:
        return unreachable(emit)
    }
  }

  #placeOf(name: string): Place {
    const place = this.#places.get(name)
    if (place === undefined)
      throw new PlanError(this.plan.name, `column '${name}'`, 'no node puts it out', 'Build plans with `from`')
    return place
  }
  #newSlot(name: string, dictionary: Place['dictionary']): number {
    const slot = this.#slots.length
    this.#slots.length++
    this.#places.set(name, { slot, dictionary })
    return slot
  }
  #lowerStep(step: Step): Run {
    const slotOf = (name: string): number => this.#placeOf(name).slot
    switch (step.kind) {
      case 'filter': {
        const condition = lowerNumbers(step.condition, slotOf)
        return (view, selection) => keepTrue(condition(view), selection)
      }
      case 'project': {
        const runs = step.derive
          .filter(({ name, value }) => !(value.op === 'column' && value.name === name))
          .map(({ name, value }) => ({ name, value, evaluate: lowerExpression(value, slotOf) }))
          // All are lowered before any gets its slot: `derive` sees the columns of its input.
          .map(({ name, value, evaluate }) => ({
            name,
            evaluate,
            slot: this.#newSlot(name, value.op === 'column' ? this.#placeOf(value.name).dictionary : null),
          }))
        return (view, selection, refuse) => {
          for (const { name, evaluate, slot } of runs) {
            const column = evaluate(view)
            view.columns[slot] = column
            if (column.kind === 'number') refuseOverflow(column.values, selection, name, refuse)
          }
        }
      }
      case 'lookup': {
        const { table, by, unknown } = step
        if (!('rows' in table))
          throw new PlanError(
            this.plan.name,
            step.id,
            'lookups in compacted topics do not run in this engine yet',
            'Use a static table',
          )
        const from = slotOf(by)
        const made = lookupColumns(table)
        const slots = table.columns.map((column, i) => this.#newSlot(column.name, dictionaryOf(table, column, made, i)))
        return (view, selection, refuse) => {
          const column = view.columns[from]!
          assert(column.kind === 'id', `lookup column '${by}' comes by id`)
          made.run(column, view.rows)
          slots.forEach((slot, i) => {
            view.columns[slot] = made.columns[i]!
          })
          if (unknown !== 'null') refuseUnknown(made, selection, unknown === 'drop' ? null : refuse, table, by)
        }
      }
      case 'deduplicate': {
        if (step.horizonBytesMax < DEDUPLICATION_BYTES_MIN)
          throw new PlanError(
            this.plan.name,
            step.id,
            `${step.horizonBytesMax} bytes hold no horizon`,
            `Give horizonBytesMax ${DEDUPLICATION_BYTES_MIN} or more`,
          )
        const made = new Deduplication(step, step.identity.map(slotOf))
        this.deduplications.push(made)
        return (view, selection, _refuse, duplicate) => {
          selection.count = made.keepFirsts(view, selection.rows, selection.count, duplicate)
        }
      }
      default:
        return unreachable(step)
    }
  }

  write(out: StateWriter): void {
    out.f64(this.#emittedAtMs)
    for (const { dictionary } of this.numbers) dictionary.write(out)
    for (const one of this.deduplications) one.write(out)
    this.#window?.write(out)
  }
  restore(from: StateReader): void {
    this.#emittedAtMs = from.f64()
    for (const { dictionary } of this.numbers) dictionary.restore(from, numberOf)
    for (const one of this.deduplications) one.restore(from)
    this.#window?.restore(from)
  }
  mark(column: string, live: Uint8Array): void {
    this.#window?.mark(column, live)
  }
  sweepNumbers(): void {
    for (const { name, dictionary } of this.numbers) {
      if (dictionary.count < dictionary.sweepAt) continue
      const live = new Uint8Array(dictionary.high)
      this.mark(name, live)
      dictionary.sweep(live)
    }
  }
  bytes(): number {
    let bytes = this.#window?.bytes() ?? 0
    for (const { dictionary } of this.numbers) bytes += dictionary.bytes
    for (const one of this.deduplications) bytes += one.bytes
    return bytes
  }
}

function dictionaryOf(table: TableData, column: Column, made: LookupColumns, index: number): Place['dictionary'] {
  const values = made.columns[index]!
  return isTextKind(column.type.kind) && values.kind === 'id'
    ? { name: `table ${table.name}.${column.name}`, of: values.dictionary }
    : null
}

function keepTrue(condition: Float64Array, selection: Selection): void {
  let kept = 0
  for (let i = 0; i < selection.count; i++) {
    const row = selection.rows[i]!
    if (condition[row] === 1) selection.rows[kept++] = row
  }
  selection.count = kept
}
/** What an aggregate computes from a row before it takes it in: that may leave the exact numbers, as a derived column may. */
function computedIn(aggregate: Aggregation): readonly Expression[] {
  if (aggregate.function === 'ratio') return [...computedIn(aggregate.numerator), ...computedIn(aggregate.denominator)]
  const values = aggregate.function === 'argmax' ? [aggregate.of, aggregate.by] : [aggregate.of]
  return values.filter((value) => value !== null).filter(({ op }) => op !== 'column' && op !== 'literal')
}
/** Infinity marks a computation that left the exact numbers. */
function refuseOverflow(values: Float64Array, selection: Selection, name: string, refuse: RefuseRow): void {
  let kept = 0
  for (let i = 0; i < selection.count; i++) {
    const row = selection.rows[i]!
    if (values[row] === Number.POSITIVE_INFINITY)
      refuse(row, 'overflow', name, `'${name}' is beyond what is exact (2^53)`)
    else selection.rows[kept++] = row
  }
  selection.count = kept
}
function refuseUnknown(
  made: LookupColumns,
  selection: Selection,
  refuse: RefuseRow | null,
  table: TableData,
  by: string,
): void {
  let kept = 0
  for (let i = 0; i < selection.count; i++) {
    const row = selection.rows[i]!
    if (made.found[row] === 1) selection.rows[kept++] = row
    else refuse?.(row, 'unknown-key', by, `field '${by}': ${made.shown(row)} is not in table '${table.name}'`)
  }
  selection.count = kept
}
