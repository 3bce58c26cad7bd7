// The first rows of each part of a changing table, or of a stream: rows are kept by key, parts that changed are ranked
// anew, and only what enters, changes or leaves comes out. A top right behind its window is chosen there instead
// (`top.ts`).
import { PlanError } from '../query/plan.ts'
import { compareRows } from './changing-windows.ts'
import type { Batch } from './columns.ts'
import { grownBytes, grownInts } from './int-set.ts'
import { KeyedRows } from './keyed-rows.ts'
import type { TopNode } from './lower.ts'
import type { Operator, OperatorContext, RowSink } from './operator.ts'
import type { LoweredOperator } from './operators.ts'
import { Groups } from './panes.ts'
import { EARLY, LATE, ON_TIME, type TimingIndex } from './results.ts'
import { emptySpan } from './row-table.ts'
import type { StateReader, StateWriter } from './state-bytes.ts'
import { groupColumn } from './window-shape.ts'

export function lowerTop(context: OperatorContext<TopNode>): LoweredOperator {
  const { node, plan } = context
  const input = context.inputs[0]!
  if (node.changelog.mode !== 'upsert')
    throw new PlanError(plan.name, node.id, 'its rows have no key', 'Tell `top` which columns are the `key` of a row')
  const bound = node.within.includes('window_start') || node.within.includes('window_end')
  const partNames: string[] = []
  const parts = { ...context, columns: input.columns, placeOf: input.placeOf }
  const partIds = node.within.map((name) => groupColumn(parts, name, partNames, []))
  const at = (name: string): number => {
    const index = input.columns.findIndex((column) => column.name === name)
    if (index < 0) throw new PlanError(plan.name, node.id, `there is no column '${name}'`, 'Build plans with `from`')
    return index
  }
  const { key } = node.changelog
  const operator = new TopOperator(new KeyedRows(input, key, context.lanes), context.out, {
    rowsMax: node.rows,
    by: node.by.map(({ column, descending }) => ({ column: at(column), descending })),
    keyColumns: key.map(at),
    columns: node.columns.map(({ name }) => at(name)),
    keyOf: node.columns.map(({ name }) => key.includes(name)),
    partIds,
    partNames,
    bound,
    changes: input.updates,
    reachMs: input.reachMs,
    lanes: context.lanes,
  })
  const texts = node.columns.map(({ name }) => input.placeOf(name).dictionary)
  return { operator, texts, updates: true, reachMs: bound ? input.reachMs : Number.POSITIVE_INFINITY }
}

interface TopSettings {
  readonly rowsMax: number
  readonly by: readonly { readonly column: number; readonly descending: boolean }[]
  readonly keyColumns: readonly number[]
  /** Of the rows given out, by columns of the rows kept. */
  readonly columns: readonly number[]
  readonly keyOf: readonly boolean[]
  readonly partIds: readonly ((batch: Batch) => Int32Array)[]
  readonly partNames: readonly string[]
  /** Parts belong to windows, and end with them. */
  readonly bound: boolean
  /** The input's rows may change; else each stays, and one that is outranked never comes back. */
  readonly changes: boolean
  readonly reachMs: number
  readonly lanes: number
}

/** Of a row: it stands outside; it has changed since it was given out; it was taken back. */
const STANDING = 1
const CHANGED = 2
const GONE = 4

class TopOperator implements Operator {
  readonly #rows: KeyedRows
  readonly #out: RowSink
  readonly #settings: TopSettings
  readonly #parts: Groups
  #flags: Uint8Array<ArrayBuffer> = new Uint8Array(0)
  #partOf: Int32Array<ArrayBuffer> = new Int32Array(0)
  /** First row + 1 of each part; its rows hang by `#next`, back by `#previous`. */
  #first: Int32Array<ArrayBuffer> = new Int32Array(0)
  #next: Int32Array<ArrayBuffer> = new Int32Array(0)
  #previous: Int32Array<ArrayBuffer> = new Int32Array(0)
  /** Parts that changed, with the timing of what changed them. */
  readonly #dirty = new Map<number, TimingIndex>()
  /** Parts of a stream that took rows in since they were last cut; empty between pushes. */
  readonly #grown = new Set<number>()
  #watermarkMs = Number.NEGATIVE_INFINITY
  #partsOfRows = new Int32Array(0)

  constructor(rows: KeyedRows, out: RowSink, settings: TopSettings) {
    this.#rows = rows
    this.#out = out
    this.#settings = settings
    this.#parts = new Groups(settings.partIds.length)
  }
  push(_input: number, batch: Batch, rows: Int32Array, count: number): void {
    if (this.#partsOfRows.length < batch.rows) this.#partsOfRows = new Int32Array(batch.rows)
    const parts = this.#partsOfRows
    this.#parts.assign(
      this.#settings.partIds.map((ids) => ids(batch)),
      rows,
      count,
      parts,
    )
    const weights = batch.derived?.weights
    for (let i = 0; i < count; i++) this.#parts.use(parts[rows[i]!]!)
    for (let i = 0; i < count; i++) {
      const row = rows[i]!
      const timing = (batch.derived?.timings[row] ?? EARLY) as TimingIndex
      const kept = this.#rows.find(batch, row)
      if (weights?.[row] === -1) {
        if (kept < 0) continue
        this.#flags[kept] = this.#flags[kept]! | GONE | CHANGED
        this.#touch(this.#partOf[kept]!, timing)
      } else if (kept < 0) this.#takeIn(batch, row, parts[row]!, timing)
      else this.#replace(kept, batch, row, parts[row]!, timing)
    }
    for (let i = 0; i < count; i++) this.#parts.release(parts[rows[i]!]!)
  }
  #takeIn(batch: Batch, row: number, part: number, timing: TimingIndex): void {
    const kept = this.#rows.put(batch, row, -1)
    this.#flags = grownBytes(this.#flags, kept + 1)
    this.#partOf = grownInts(this.#partOf, kept + 1)
    this.#next = grownInts(this.#next, kept + 1)
    this.#previous = grownInts(this.#previous, kept + 1)
    this.#flags[kept] = CHANGED
    this.#link(kept, part)
    if (!this.#settings.changes) this.#grown.add(part)
    this.#touch(part, timing)
  }
  /** The row under a key has changed, and with it perhaps its part. */
  #replace(kept: number, batch: Batch, row: number, part: number, timing: TimingIndex): void {
    const before = this.#partOf[kept]!
    // Of two rows of a stream under one key the one that goes first stands, whichever came first.
    if (!this.#settings.changes && before === part) {
      const other = this.#rows.table.add(batch, row)
      const isWorse = this.#rank(other, kept) >= 0
      this.#rows.table.remove(other)
      if (isWorse) return
    }
    this.#rows.put(batch, row, kept)
    this.#flags[kept] = (this.#flags[kept]! & STANDING) | CHANGED
    if (before !== part) {
      // Touched first: a part that nobody holds gives its number back.
      this.#touch(before, timing)
      this.#unlink(kept)
      this.#link(kept, part)
    }
    this.#touch(part, timing)
  }
  #link(row: number, part: number): void {
    this.#parts.use(part)
    this.#first = grownInts(this.#first, part + 1)
    this.#partOf[row] = part
    const first = this.#first[part]!
    this.#next[row] = first
    this.#previous[row] = 0
    if (first > 0) this.#previous[first - 1] = row + 1
    this.#first[part] = row + 1
  }
  #unlink(row: number): void {
    const part = this.#partOf[row]!
    const [next, previous] = [this.#next[row]!, this.#previous[row]!]
    if (next > 0) this.#previous[next - 1] = previous
    if (previous > 0) this.#next[previous - 1] = next
    else this.#first[part] = next
    this.#parts.release(part)
  }
  #touch(part: number, timing: TimingIndex): void {
    const before = this.#dirty.get(part)
    if (before === undefined) this.#parts.use(part)
    if (before === undefined || before < timing) this.#dirty.set(part, timing)
  }

  advance(watermarkMs: number): number {
    this.#watermarkMs = watermarkMs
    // Rows of a stream have no end of their own: what runs comes out at ticks, and at the end of bounded input.
    if (this.#settings.changes || this.#settings.bound) this.#give(null)
    else if (watermarkMs === Number.POSITIVE_INFINITY) this.#give(ON_TIME)
    else this.#cut()
    this.#grown.clear()
    if (this.#settings.bound) this.#expire()
    return watermarkMs
  }
  tick(running: boolean): void {
    if (this.#settings.changes || this.#settings.bound) this.#give(null)
    else if (running) this.#give(EARLY)
  }
  #expire(): void {
    for (;;) {
      const row = this.#rows.older(this.#watermarkMs - this.#settings.reachMs)
      if (row < 0) return
      this.#drop(row)
    }
  }
  /** Rows of a stream that are outranked are not kept until the next tick; those that stand wait to be taken back. */
  #cut(): void {
    for (const part of this.#grown) {
      const there: number[] = []
      for (let at = this.#first[part] ?? 0; at > 0; at = this.#next[at - 1]!) there.push(at - 1)
      if (there.length <= this.#settings.rowsMax) continue
      there.sort((a, b) => this.#rank(a, b))
      for (const row of there.slice(this.#settings.rowsMax)) if ((this.#flags[row]! & STANDING) === 0) this.#drop(row)
    }
  }
  #drop(row: number): void {
    this.#unlink(row)
    this.#rows.remove(row)
    this.#flags[row] = 0
  }

  #give(timing: TimingIndex | null): void {
    if (this.#dirty.size === 0) return
    const dirty = [...this.#dirty]
    this.#dirty.clear()
    for (const [part, changed] of dirty) {
      this.#givePart(part, timing ?? changed)
      this.#parts.release(part)
    }
  }
  #givePart(part: number, timing: TimingIndex): void {
    const { rowsMax, changes } = this.#settings
    const there: number[] = []
    const leaving: number[] = []
    for (let at = this.#first[part] ?? 0; at > 0; at = this.#next[at - 1]!) {
      if ((this.#flags[at - 1]! & GONE) === 0) there.push(at - 1)
      else leaving.push(at - 1)
    }
    there.sort((a, b) => this.#rank(a, b))
    for (let i = rowsMax; i < there.length; i++) leaving.push(there[i]!)
    leaving.sort((a, b) => this.#compareKeys(a, b))
    for (const row of leaving) if ((this.#flags[row]! & STANDING) !== 0) this.#takeBack(row, timing)
    const chosen = there.slice(0, rowsMax)
    for (const row of chosen) {
      const flags = this.#flags[row]!
      if (flags === STANDING) continue
      const own = (flags & CHANGED) !== 0 ? (this.#rows.table.timings[row] as TimingIndex) : timing
      this.#giveRow(row, changes ? own : timing)
      this.#flags[row] = STANDING
    }
    const settled = chosen.length === rowsMax && chosen.every((row) => this.#isFrozen(row))
    for (const row of leaving)
      if ((this.#flags[row]! & GONE) !== 0 || !changes || (settled && this.#isFrozen(row))) this.#drop(row)
  }
  /** Nothing changes the row any more. */
  #isFrozen(row: number): boolean {
    return this.#rows.table.times[row]! < this.#watermarkMs - this.#settings.reachMs
  }
  #giveRow(row: number, timing: TimingIndex): void {
    const span = emptySpan(this.#settings.lanes)
    this.#rows.table.widen(span, row)
    this.#out.addRow(timing, this.#out.addEvidence(span, 0), this.#rows.table.times[row]!)
    this.#settings.columns.forEach((from, to) => {
      this.#rows.table.give(this.#out, to, from, row)
    })
  }
  #takeBack(row: number, timing: TimingIndex): void {
    const span = emptySpan(this.#settings.lanes)
    this.#rows.table.widen(span, row)
    this.#out.addRetraction(timing, this.#out.addEvidence(span, 0), this.#rows.table.times[row]!)
    this.#settings.columns.forEach((from, to) => {
      if (this.#settings.keyOf[to]) this.#rows.table.give(this.#out, to, from, row)
    })
    this.#flags[row] = this.#flags[row]! & ~STANDING
  }
  /** Negative: the first goes before the second. Nulls last whichever way; ties by key. */
  #rank(a: number, b: number): number {
    const { columns } = this.#rows.table
    for (const { column, descending } of this.#settings.by) {
      const values = columns[column]!
      const [noneA, noneB] = [isNull(values, a), isNull(values, b)]
      if (noneA || noneB) {
        if (noneA !== noneB) return noneA ? 1 : -1
        continue
      }
      const order = compareRows(values, a, b)
      if (order !== 0) return descending ? 0 - order : order
    }
    return this.#compareKeys(a, b)
  }
  #compareKeys(a: number, b: number): number {
    for (const index of this.#settings.keyColumns) {
      const order = compareRows(this.#rows.table.columns[index]!, a, b)
      if (order !== 0) return order
    }
    return 0
  }

  write(out: StateWriter): void {
    const { high } = this.#rows.table
    out.f64(this.#watermarkMs)
    this.#rows.write(out)
    this.#parts.write(out)
    out.raw(grownBytes(this.#flags, high).subarray(0, high))
    for (const links of [this.#partOf, this.#next, this.#previous]) out.ints(grownInts(links, high), high)
    out.ints(grownInts(this.#first, this.#parts.keys.high), this.#parts.keys.high)
    out.numbers([...this.#dirty.keys()])
    out.numbers([...this.#dirty.values()])
  }
  restore(from: StateReader): void {
    this.#watermarkMs = from.f64()
    this.#rows.restore(from)
    this.#parts.restore(from)
    this.#flags = new Uint8Array(from.raw())
    this.#partOf = from.ints()
    this.#next = from.ints()
    this.#previous = from.ints()
    this.#first = from.ints()
    const [parts, timings] = [from.numbers(), from.numbers()]
    this.#dirty.clear()
    parts.forEach((part, i) => {
      this.#dirty.set(part, timings[i] === LATE ? LATE : timings[i] === ON_TIME ? ON_TIME : EARLY)
    })
  }
  mark(dictionary: string, live: Uint8Array): void {
    this.#rows.table.mark(dictionary, live)
    this.#settings.partNames.forEach((name, i) => {
      if (name === dictionary) this.#parts.mark(i, live)
    })
  }
  bytes(): number {
    const links = this.#partOf.byteLength + this.#next.byteLength + this.#previous.byteLength + this.#first.byteLength
    return this.#rows.bytes() + this.#parts.bytes() + this.#flags.byteLength + links + this.#dirty.size * 32
  }
}

function isNull(column: Batch['columns'][number], row: number): boolean {
  if (column.kind === 'number') return Number.isNaN(column.values[row]!)
  return column.kind === 'id' && column.values[row]! < 0
}
