// Stateless steps, one after another over the columns of a batch, without a copy of it: derived columns get slots behind
// the input's, filters shrink the selection. Rows of a changing input keep their weights: one that no longer passes takes
// back what stood under its key.
import type { Column, Expression, Plan, TableData } from '../query/plan.ts'
import { PlanError } from '../query/plan.ts'
import { assert, unreachable } from '../std/assert.ts'
import type { Batch, BatchColumn, Derived } from './columns.ts'
import type { RefusalReason } from './decoder.ts'
import { Deduplication } from './deduplicate.ts'
import { Dictionary } from './dictionary.ts'
import { isText, lowerExpression, lowerNumbers } from './expressions.ts'
import { KeyedRows } from './keyed-rows.ts'
import { type LookupColumns, lookupColumns } from './lookup.ts'
import type { Step } from './lower.ts'
import type { InputShape, Place, TextDictionary } from './operator.ts'
import { isTextKind } from './results.ts'
import type { StateReader, StateWriter } from './state-bytes.ts'

/** What becomes of rows that go no further, told where the chain's input came in. */
export interface RowFates {
  /** A row that a step refuses: its record becomes a dead letter. */
  refuse(view: Batch, row: number, reason: RefusalReason, field: string, message: string): void
  duplicate(view: Batch, row: number): void
}
interface Selection {
  rows: Int32Array<ArrayBuffer>
  count: number
}
type Run = (view: Batch, selection: Selection, fates: RowFates) => void

/** Room for a hundred identities: less is a slip of units. */
const DEDUPLICATION_BYTES_MIN = 4096

export class StepChain {
  /** After the steps so far. */
  shape: InputShape
  readonly deduplications: Deduplication[] = []
  readonly #plan: Plan
  readonly #lanes: number
  readonly #texts: TextDictionary[]
  readonly #runs: Run[] = []
  readonly #kept: { readonly id: string; readonly state: Kept }[] = []
  readonly #places = new Map<string, Place>()
  #slots: number
  readonly selection: Selection = { rows: new Int32Array(0), count: 0 }
  #view: Batch | null = null
  readonly #derived: Derived = {
    weights: new Int8Array(0),
    timings: new Uint8Array(0),
    evidence: new Int32Array(0),
    offsets: new Float64Array(0),
  }

  /** `slots`: columns of the input's batches. `texts` takes the dictionaries it makes, for sweeps and snapshots. */
  constructor(plan: Plan, input: InputShape, slots: number, lanes: number, texts: TextDictionary[]) {
    this.#plan = plan
    this.#texts = texts
    this.#lanes = lanes
    this.#slots = slots
    for (const { name } of input.columns) this.#places.set(name, input.placeOf(name))
    this.shape = { ...input, placeOf: (name) => this.#placeOf(name) }
  }
  /** Runs the steps over the listed rows, or all; what is left of them is in `selection`. */
  push(batch: Batch, rows: Int32Array | null, count: number, fates: RowFates): Batch {
    const view = this.#viewOf(batch)
    const selection = this.selection
    if (selection.rows.length < count) selection.rows = new Int32Array(Math.max(count, batch.rows))
    if (rows === null) for (let row = 0; row < count; row++) selection.rows[row] = row
    else selection.rows.set(count === rows.length ? rows : rows.subarray(0, count))
    selection.count = count
    if (this.shape.several) this.#runTogether(view, fates)
    else for (const run of this.#runs) run(view, selection, fates)
    return view
  }
  /** Rows of one record go on together or not at all: a dead letter that is mended and sent again counts once. */
  #runTogether(view: Batch, fates: RowFates): void {
    const { selection } = this
    const refused = new Set<number>()
    const told: RowFates = {
      duplicate: fates.duplicate,
      refuse: (of, row, reason, name, message) => {
        if (!of.derived) refused.add(of.records[row]!)
        fates.refuse(of, row, reason, name, message)
      },
    }
    for (const run of this.#runs) run(view, selection, told)
    if (refused.size === 0) return
    let kept = 0
    for (let i = 0; i < selection.count; i++) {
      const row = selection.rows[i]!
      if (!refused.has(view.records[row]!)) selection.rows[kept++] = row
    }
    selection.count = kept
  }
  /** The batch with room for the chain's own columns behind the input's. */
  #viewOf(batch: Batch): Batch {
    let view = this.#view
    if (view === null) {
      const columns = [...batch.columns]
      columns.length = this.#slots
      view = { ...batch, columns, derived: null }
      this.#view = view
    }
    view.partition = batch.partition
    view.rows = batch.rows
    view.times = batch.times
    view.watermarks = batch.watermarks
    view.records = batch.records
    view.offsets = batch.offsets
    for (let i = 0; i < batch.columns.length; i++) view.columns[i] = batch.columns[i]!
    // A union gives rows of operators and of records in turn.
    view.derived = batch.derived ? this.#weighted(batch.derived, batch.rows) : null
    return view
  }
  /** Steps may turn rows into retractions: the chain's weights are its own. */
  #weighted(derived: Derived, rows: number): Derived {
    const own = this.#derived
    if (own.weights.length < rows) own.weights = new Int8Array(rows)
    own.weights.set(derived.weights.subarray(0, rows))
    own.timings = derived.timings
    own.evidence = derived.evidence
    own.offsets = derived.offsets
    return own
  }

  #placeOf(name: string): Place {
    const place = this.#places.get(name)
    if (place === undefined)
      throw new PlanError(this.#plan.name, `column '${name}'`, 'no node puts it out', 'Build plans with `from`')
    return place
  }
  /** The dictionary of a computed text. */
  #newTexts(): NonNullable<Place['dictionary']> {
    const made = { name: `text ${this.#texts.length}`, dictionary: new Dictionary<string>() }
    this.#texts.push(made)
    return { name: made.name, of: made.dictionary }
  }
  /** `like`: the place it has its dictionary from. */
  #newSlot(name: string, like: Omit<Place, 'slot'> | null): number {
    const slot = this.#slots++
    this.#places.set(name, { dictionary: null, ...like, slot })
    return slot
  }

  /** Columns of its batches. */
  get slots(): number {
    return this.#slots
  }
  add(step: Step): void {
    const before = this.shape
    this.#runs.push(this.#lowerStep(step, before))
    this.shape = { ...before, columns: step.columns, changelog: step.changelog }
  }
  /** Values that must stay inside the exact numbers before an operator takes the rows in. */
  check(computed: readonly { readonly name: string; readonly value: Expression }[]): void {
    for (const { name, value } of computed) {
      const evaluate = lowerNumbers(value, (column) => this.#placeOf(column).slot)
      this.#runs.push((view, selection, fates) => refuseOverflow(view, evaluate(view), selection, name, fates))
    }
  }
  #lowerStep(step: Step, input: InputShape): Run {
    const slotOf = (name: string): number => this.#placeOf(name).slot
    switch (step.kind) {
      case 'filter': {
        const condition = lowerNumbers(step.condition, slotOf)
        if (!input.updates) return (view, selection) => keepTrue(condition(view), selection)
        const standing = this.#standing(step, input)
        return (view, selection) => {
          const values = condition(view)
          standing.keep(view, selection, (row) => values[row] === 1)
        }
      }
      case 'project': {
        const runs = step.derive
          .filter(({ name, value }) => !(value.op === 'column' && value.name === name))
          .map(({ name, value }) => {
            const texts = value.op !== 'column' && isText(value) ? this.#newTexts() : null
            const like = value.op === 'column' ? this.#placeOf(value.name) : { dictionary: texts }
            return { name, like, evaluate: lowerExpression(value, slotOf, texts?.of ?? null) }
          })
          // All are lowered before any gets its slot: `derive` sees the columns of its input.
          .map(({ name, like, evaluate }) => ({ name, evaluate, slot: this.#newSlot(name, like) }))
        return (view, selection, fates) => {
          for (const { name, evaluate, slot } of runs) {
            const column = evaluate(view)
            view.columns[slot] = column
            if (column.kind === 'number') refuseOverflow(view, column.values, selection, name, fates)
          }
        }
      }
      case 'lookup': {
        const { table, by, unknown } = step
        assert('rows' in table, 'a lookup in a topic is an operator')
        const from = slotOf(by)
        const made = lookupColumns(table)
        const slots = table.columns.map((column, i) =>
          this.#newSlot(column.name, { dictionary: dictionaryOf(table, column, made, i) }),
        )
        const standing = input.updates && unknown === 'drop' ? this.#standing(step, input) : null
        return (view, selection, fates) => {
          const column = view.columns[from]!
          assert(column.kind === 'id', `lookup column '${by}' comes by id`)
          made.run(column, view.rows)
          slots.forEach((slot, i) => {
            view.columns[slot] = made.columns[i]!
          })
          if (standing !== null) standing.keep(view, selection, (row) => made.found[row] === 1)
          else if (unknown !== 'null')
            refuseUnknown(view, made, selection, unknown === 'drop' ? null : fates, table, by)
        }
      }
      case 'deduplicate': {
        if (step.horizonBytesMax < DEDUPLICATION_BYTES_MIN)
          throw new PlanError(
            this.#plan.name,
            step.id,
            `${step.horizonBytesMax} bytes hold no horizon`,
            `Give horizonBytesMax ${DEDUPLICATION_BYTES_MIN} or more`,
          )
        const made = new Deduplication(step, step.identity.map(slotOf))
        this.deduplications.push(made)
        this.#kept.push({
          id: step.id,
          state: {
            write: (out) => made.write(out),
            restore: (from) => made.restore(from),
            mark: () => {},
            bytes: () => made.bytes,
            advance: () => {},
          },
        })
        return (view, selection, fates) => {
          selection.count = made.keepFirsts(view, selection.rows, selection.count, (row) => fates.duplicate(view, row))
        }
      }
      default:
        return unreachable(step)
    }
  }
  #standing(step: Step, input: InputShape): StandingKeys {
    assert(input.changelog.mode === 'upsert', 'rows that change have a key')
    const made = new StandingKeys(input, input.changelog.key, this.#lanes)
    this.#kept.push({ id: step.id, state: made })
    return made
  }

  /** State of its steps, by the ids of their nodes. */
  get kept(): readonly { readonly id: string; readonly state: Kept }[] {
    return this.#kept
  }
}

/** State of a step. */
export interface Kept {
  advance(watermarkMs: number): void
  write(out: StateWriter): void
  restore(from: StateReader): void
  mark(dictionary: string, live: Uint8Array): void
  bytes(): number
}

/** Keys whose row has passed, so that it is taken back when it passes no more. */
class StandingKeys implements Kept {
  readonly #rows: KeyedRows
  readonly #reachMs: number
  constructor(input: InputShape, key: readonly string[], lanes: number) {
    const columns = input.columns.filter(({ name }) => key.includes(name))
    this.#rows = new KeyedRows({ ...input, columns, fromRecords: true }, key, lanes)
    this.#reachMs = input.reachMs
  }
  keep(view: Batch, selection: Selection, passes: (row: number) => boolean): void {
    const weights = view.derived?.weights
    assert(weights !== undefined, 'rows that change have weights')
    let kept = 0
    for (let i = 0; i < selection.count; i++) {
      const row = selection.rows[i]!
      const standing = this.#rows.find(view, row)
      if (weights[row] === 1 && passes(row)) this.#rows.put(view, row, standing)
      else if (standing < 0) continue
      else {
        this.#rows.remove(standing)
        weights[row] = -1
      }
      selection.rows[kept++] = row
    }
    selection.count = kept
  }
  advance(watermarkMs: number): void {
    for (;;) {
      const row = this.#rows.older(watermarkMs - this.#reachMs)
      if (row < 0) return
      this.#rows.remove(row)
    }
  }
  write(out: StateWriter): void {
    this.#rows.write(out)
  }
  restore(from: StateReader): void {
    this.#rows.restore(from)
  }
  mark(dictionary: string, live: Uint8Array): void {
    this.#rows.table.mark(dictionary, live)
  }
  bytes(): number {
    return this.#rows.bytes()
  }
}

function dictionaryOf(table: TableData, column: Column, made: LookupColumns, index: number): Place['dictionary'] {
  const values: BatchColumn = made.columns[index]!
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
/**
 * Infinity marks a computation that left the exact numbers. Where rows may be replaced, what stands under the row's key is
 * taken back: it is not true any more, and there is nothing exact to put in its place.
 */
function refuseOverflow(view: Batch, values: Float64Array, selection: Selection, name: string, fates: RowFates): void {
  const weights = view.derived?.weights
  let kept = 0
  for (let i = 0; i < selection.count; i++) {
    const row = selection.rows[i]!
    const value = values[row]!
    if (value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY) {
      if (weights !== undefined && weights[row] === -1) {
        selection.rows[kept++] = row
        continue
      }
      fates.refuse(view, row, 'overflow', name, `'${name}' is beyond what is exact (2^53)`)
      if (weights === undefined) continue
      weights[row] = -1
    }
    selection.rows[kept++] = row
  }
  selection.count = kept
}
function refuseUnknown(
  view: Batch,
  made: LookupColumns,
  selection: Selection,
  fates: RowFates | null,
  table: TableData,
  by: string,
): void {
  let kept = 0
  for (let i = 0; i < selection.count; i++) {
    const row = selection.rows[i]!
    if (made.found[row] === 1) selection.rows[kept++] = row
    else
      fates?.refuse(view, row, 'unknown-key', by, `field '${by}': ${made.shown(row)} is not in table '${table.name}'`)
  }
  selection.count = kept
}
