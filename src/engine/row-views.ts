// Operators that pass rows on as they are, with other columns: union, the rows of a list, the newest rows of a topic. The
// rows keep their record, partition and watermark, so what is late stays told by the partition of its own.
import type { Plan, PlanNode } from '../query/plan.ts'
import { assert } from '../std/assert.ts'
import type { Batch, BatchColumn } from './columns.ts'
import { Dictionary } from './dictionary.ts'
import { grownFloats, grownInts } from './int-set.ts'
import { type Ids, translatedIds } from './join-keys.ts'
import type { InputShape, NumberDictionary, Place, TextDictionary } from './operator.ts'
import { isTextKind } from './results.ts'
import { RowTable } from './row-table.ts'
import type { StateReader, StateWriter } from './state-bytes.ts'

/** Takes rows of one batch, which stay their maker's. */
export type Taker = (batch: Batch, rows: Int32Array, count: number) => void

export interface RowView {
  push(input: number, batch: Batch, rows: Int32Array, count: number, give: Taker): void
  write(out: StateWriter): void
  restore(from: StateReader): void
  mark(dictionary: string, live: Uint8Array): void
  bytes(): number
}
export interface LoweredView {
  readonly view: RowView
  /** Where the columns of its node lie in what it gives. */
  readonly places: readonly Place[]
  /** Columns of its batches. */
  readonly slots: number
  /** Whose watermarks it goes by. */
  readonly timeOf: readonly number[]
}
export interface ViewParts {
  readonly plan: Plan
  readonly node: PlanNode
  readonly inputs: readonly InputShape[]
  readonly lanes: number
  readonly numbers: NumberDictionary[]
  readonly texts: TextDictionary[]
}

/** A batch with the rows of another and columns of its own. */
class Shell {
  #batch: Batch | null = null
  of(batch: Batch, columns: BatchColumn[]): Batch {
    const shell = this.#batch ?? { ...batch, columns, derived: null }
    this.#batch = shell
    shell.partition = batch.partition
    shell.rows = batch.rows
    shell.times = batch.times
    shell.watermarks = batch.watermarks
    shell.records = batch.records
    shell.offsets = batch.offsets
    shell.derived = batch.derived ?? null
    return shell
  }
}

// --- union ---

export function lowerUnion(parts: ViewParts): LoweredView {
  const { node, inputs, texts } = parts
  const places = node.columns.map(({ name, type }, slot): Place => {
    if (!isTextKind(type.kind)) return { slot, dictionary: null }
    // Two topics have two dictionaries; where it is one, its ids go through.
    const own = inputs.map((input) => input.placeOf(name).dictionary)
    const first = own[0] ?? null
    if (first !== null && own.every((one) => one?.of === first.of)) return { slot, dictionary: first }
    const made = { name: `${name} of ${node.id}`, dictionary: new Dictionary<string>() }
    texts.push(made)
    return { slot, dictionary: { name: made.name, of: made.dictionary } }
  })
  const view = new Union(
    inputs.map((input) => node.columns.map(({ name }) => input.placeOf(name).slot)),
    places,
  )
  return { view, places, slots: places.length, timeOf: inputs.map((_, input) => input) }
}

class Union implements RowView {
  readonly #inputs: readonly {
    readonly shell: Shell
    readonly columns: BatchColumn[]
    readonly slots: readonly number[]
    readonly ids: readonly (ReturnType<typeof translatedIds> | null)[]
  }[]
  constructor(slots: readonly (readonly number[])[], places: readonly Place[]) {
    this.#inputs = slots.map((of) => ({
      shell: new Shell(),
      columns: places.map(
        ({ dictionary }): BatchColumn =>
          dictionary === null
            ? { kind: 'number', values: new Float64Array(0) }
            : { kind: 'id', values: new Int32Array(0), dictionary: dictionary.of },
      ),
      slots: of,
      ids: places.map(({ dictionary }, i) => (dictionary === null ? null : translatedIds(of[i]!, dictionary.of))),
    }))
  }
  push(input: number, batch: Batch, rows: Int32Array, count: number, give: Taker): void {
    const { shell, columns, slots, ids } = this.#inputs[input]!
    columns.forEach((column, i) => {
      if (column.kind === 'id') column.values = ids[i]!(batch)
      else columns[i] = batch.columns[slots[i]!]!
    })
    give(shell.of(batch, columns), rows, count)
  }
  write(): void {}
  restore(): void {}
  mark(): void {}
  bytes(): number {
    return 0
  }
}

// --- the newest rows of a topic ---

export type FreshLookup = PlanNode & { readonly kind: 'lookup' }

export function lowerFreshLookup(parts: ViewParts & { readonly node: FreshLookup }): LoweredView {
  const { node, inputs, texts } = parts
  const [left, right] = [inputs[0]!, inputs[1]!]
  const { table } = node
  assert('compacted' in table, 'a static table is a step')
  const keys = { name: `keys of ${node.id}`, dictionary: new Dictionary<string>() }
  texts.push(keys)
  const kept = table.columns
  const rows = new RowTable({ columns: kept, placeOf: right.placeOf, lanes: parts.lanes, fromRecords: true })
  const passed = node.columns.filter(({ name }) => left.columns.some((column) => column.name === name))
  const slots = passed.map(({ name }) => left.placeOf(name).slot)
  const places = node.columns.map(({ name }): Place => {
    const slot = passed.findIndex((column) => column.name === name)
    if (slot >= 0) return { slot, dictionary: left.placeOf(name).dictionary }
    const column = kept.findIndex((one) => one.name === name)
    return { slot: passed.length + column, dictionary: right.placeOf(name).dictionary }
  })
  const view = new NewestRows(rows, keys, slots, {
    left: translatedIds(left.placeOf(node.by).slot, keys.dictionary),
    right: translatedIds(right.placeOf(table.key).slot, keys.dictionary),
    dropsUnknown: node.unknown === 'drop',
  })
  return { view, places, slots: passed.length + kept.length, timeOf: [0] }
}

class NewestRows implements RowView {
  readonly #table: RowTable
  readonly #keys: TextDictionary
  readonly #slots: readonly number[]
  readonly #how: { readonly left: Ids; readonly right: Ids; readonly dropsUnknown: boolean }
  readonly #shell = new Shell()
  /** Row + 1 of each key. */
  #rowOf: Int32Array<ArrayBuffer> = new Int32Array(0)
  readonly #columns: BatchColumn[] = []
  readonly #added: BatchColumn[]
  #rows = new Int32Array(0)

  constructor(
    table: RowTable,
    keys: TextDictionary,
    slots: readonly number[],
    how: { readonly left: Ids; readonly right: Ids; readonly dropsUnknown: boolean },
  ) {
    this.#table = table
    this.#keys = keys
    this.#slots = slots
    this.#how = how
    this.#added = table.columns.map(
      (column): BatchColumn =>
        column.kind === 'id'
          ? { kind: 'id', values: new Int32Array(0), dictionary: column.dictionary }
          : { kind: 'number', values: new Float64Array(0) },
    )
  }
  push(input: number, batch: Batch, rows: Int32Array, count: number, give: Taker): void {
    if (input === 1) this.#take(batch, rows, count)
    else this.#answer(batch, rows, count, give)
  }
  #take(batch: Batch, rows: Int32Array, count: number): void {
    const ids = this.#how.right(batch)
    for (let i = 0; i < count; i++) {
      const row = rows[i]!
      const key = ids[row]!
      if (key < 0) continue
      this.#rowOf = grownInts(this.#rowOf, key + 1)
      const kept = this.#rowOf[key]! - 1
      if (kept >= 0) this.#table.set(kept, batch, row)
      else this.#rowOf[key] = this.#table.add(batch, row) + 1
    }
  }
  #answer(batch: Batch, rows: Int32Array, count: number, give: Taker): void {
    const ids = this.#how.left(batch)
    if (this.#rows.length < count) this.#rows = new Int32Array(count)
    for (const column of this.#added) {
      if (column.kind === 'number') column.values = grownFloats(column.values, batch.rows)
      else if (column.kind === 'id') column.values = grownInts(column.values, batch.rows)
    }
    let kept = 0
    for (let i = 0; i < count; i++) {
      const row = rows[i]!
      const key = ids[row]!
      const found = key >= 0 && key < this.#rowOf.length ? this.#rowOf[key]! - 1 : -1
      if (found < 0 && this.#how.dropsUnknown) continue
      this.#rows[kept++] = row
      for (let k = 0; k < this.#added.length; k++) {
        const [into, from] = [this.#added[k]!, this.#table.columns[k]!]
        if (into.kind === 'number' && from.kind === 'number')
          into.values[row] = found < 0 ? Number.NaN : from.values[found]!
        else if (into.kind === 'id' && from.kind === 'id') into.values[row] = found < 0 ? -1 : from.values[found]!
      }
    }
    this.#columns.length = 0
    for (const slot of this.#slots) this.#columns.push(batch.columns[slot]!)
    this.#columns.push(...this.#added)
    give(this.#shell.of(batch, this.#columns), this.#rows, kept)
  }
  write(out: StateWriter): void {
    this.#table.write(out)
    out.ints(this.#rowOf, this.#rowOf.length)
  }
  restore(from: StateReader): void {
    this.#table.restore(from)
    this.#rowOf = from.ints()
  }
  mark(dictionary: string, live: Uint8Array): void {
    this.#table.mark(dictionary, live)
    if (dictionary !== this.#keys.name) return
    for (let key = 0; key < Math.min(live.length, this.#rowOf.length); key++) if (this.#rowOf[key]! > 0) live[key] = 1
  }
  bytes(): number {
    return this.#table.bytes() + this.#rowOf.byteLength
  }
}
