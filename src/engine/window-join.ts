// Joins the rows of two tables that belong to one window and have equal keys. Rows of both sides are kept by window and
// key while they may change; what comes out is every pair, and of a left join each left row that has no partner, once the
// window is closed; pairs that change or vanish afterwards are put right.
import { PlanError } from '../query/plan.ts'
import type { Batch } from './columns.ts'
import { grownBytes, grownFloats, grownInts } from './int-set.ts'
import { SharedKeys } from './join-keys.ts'
import { KeyedRows } from './keyed-rows.ts'
import type { Operator, OperatorContext } from './operator.ts'
import type { LoweredOperator } from './operators.ts'
import { EARLY, LATE, ON_TIME, type TimingIndex } from './results.ts'
import { RowJoiner } from './row-joiner.ts'
import type { StateReader, StateWriter } from './state-bytes.ts'
import type { JoinNode } from './stream-joins.ts'

export function lowerWindowJoin(context: OperatorContext<JoinNode>): LoweredOperator {
  const { node, plan, lanes, out } = context
  const sides = context.inputs.map((input) => {
    if (input.changelog.mode === 'upsert') return new KeyedRows(input, input.changelog.key, lanes)
    throw new PlanError(plan.name, node.id, 'a side of a window join is no table', 'Join the results of windows')
  })
  const joiner = new RowJoiner(node, context.inputs, out, lanes)
  const on = [['window_start', 'window_start'], ['window_end', 'window_end'], ...node.on.map((p) => [p.left, p.right])]
  const reachMs = Math.max(...context.inputs.map((input) => input.reachMs))
  const operator = new WindowJoin({
    sides: [new Side(sides[0]!), new Side(sides[1]!)],
    keys: new SharedKeys(context, on),
    joiner,
    isLeft: node.side === 'left',
    reachMs,
  })
  return { operator, texts: joiner.texts, updates: true, reachMs }
}

interface WindowJoinParts {
  readonly sides: readonly [Side, Side]
  readonly keys: SharedKeys
  readonly joiner: RowJoiner
  readonly isLeft: boolean
  readonly reachMs: number
}

/** Of a row: it changed since pairs were given out; it was taken back. */
const CHANGED = 1
const GONE = 2

/** Rows of one side, those of a window and key in a list. */
class Side {
  readonly rows: KeyedRows
  flags: Uint8Array<ArrayBuffer> = new Uint8Array(0)
  key: Int32Array<ArrayBuffer> = new Int32Array(0)
  /** First row + 1 of each key; the others hang by `#next`, back by `#previous`. */
  #first: Int32Array<ArrayBuffer> = new Int32Array(0)
  #next: Int32Array<ArrayBuffer> = new Int32Array(0)
  #previous: Int32Array<ArrayBuffer> = new Int32Array(0)
  constructor(rows: KeyedRows) {
    this.rows = rows
  }
  link(row: number, key: number): void {
    this.#grow(row + 1, key + 1)
    const first = this.#first[key]!
    this.key[row] = key
    this.#next[row] = first
    this.#previous[row] = 0
    if (first > 0) this.#previous[first - 1] = row + 1
    this.#first[key] = row + 1
  }
  #grow(rows: number, keys: number): void {
    this.flags = grownBytes(this.flags, rows)
    this.key = grownInts(this.key, rows)
    this.#next = grownInts(this.#next, rows)
    this.#previous = grownInts(this.#previous, rows)
    this.#first = grownInts(this.#first, keys)
  }
  drop(row: number): void {
    this.unlink(row)
    this.flags[row] = 0
    this.rows.remove(row)
  }
  unlink(row: number): void {
    const [next, previous] = [this.#next[row]!, this.#previous[row]!]
    if (next > 0) this.#previous[next - 1] = previous
    if (previous > 0) this.#next[previous - 1] = next
    else this.#first[this.key[row]!] = next
  }
  of(key: number): number[] {
    const found: number[] = []
    for (let at = this.#first[key] ?? 0; at > 0; at = this.#next[at - 1]!) found.push(at - 1)
    return found
  }
  write(out: StateWriter, keys: number): void {
    const { high } = this.rows.table
    this.#grow(high, keys)
    this.rows.write(out)
    out.raw(this.flags.subarray(0, high))
    for (const links of [this.key, this.#next, this.#previous]) out.ints(links, high)
    out.ints(this.#first, keys)
  }
  restore(from: StateReader): void {
    this.rows.restore(from)
    this.flags = new Uint8Array(from.raw())
    this.key = from.ints()
    this.#next = from.ints()
    this.#previous = from.ints()
    this.#first = from.ints()
  }
  bytes(): number {
    return this.rows.bytes() + this.flags.byteLength + this.key.byteLength * 3 + this.#first.byteLength
  }
}

class WindowJoin implements Operator {
  readonly #parts: WindowJoinParts
  /** Keys of which rows changed since their pairs were given out. */
  readonly #dirty = new Set<number>()
  /** Pairs that stand outside by key: left row, right row or -1, one pair after the other. */
  readonly #standing = new Map<number, readonly number[]>()
  /** By key: the time of its window's rows; 1 if its pairs came out on time. */
  #times: Float64Array<ArrayBuffer> = new Float64Array(0)
  #settled: Uint8Array<ArrayBuffer> = new Uint8Array(0)
  #watermarkMs = Number.NEGATIVE_INFINITY

  constructor(parts: WindowJoinParts) {
    this.#parts = parts
  }
  push(input: number, batch: Batch, rows: Int32Array, count: number): void {
    const { sides, keys } = this.#parts
    const side = sides[input]!
    const found = keys.begin(input, batch, rows, count)
    const weights = batch.derived?.weights
    for (let i = 0; i < count; i++) {
      const row = rows[i]!
      const kept = side.rows.find(batch, row)
      if (weights?.[row] === -1) {
        if (kept < 0) continue
        side.flags[kept] = CHANGED | GONE
        this.#touch(side.key[kept]!)
        continue
      }
      const key = found[row]!
      const made = side.rows.put(batch, row, kept)
      if (kept >= 0 && side.key[kept] !== key) this.#moveFrom(side, kept)
      if (kept < 0 || side.key[kept] !== key) {
        side.link(made, key)
        keys.groups.use(key)
      }
      side.flags[made] = CHANGED
      this.#times = grownFloats(this.#times, key + 1)
      this.#times[key] = batch.times[row]!
      this.#touch(side.key[made]!)
    }
    keys.done(rows, count)
  }
  /** What it is joined on has changed: it leaves the rows of its key. */
  #moveFrom(side: Side, row: number): void {
    const key = side.key[row]!
    side.unlink(row)
    this.#touch(key)
    this.#release(key)
  }
  #touch(key: number): void {
    if (this.#dirty.has(key)) return
    this.#dirty.add(key)
    this.#parts.keys.groups.use(key)
  }
  advance(watermarkMs: number): number {
    if (watermarkMs > this.#watermarkMs) this.#watermarkMs = watermarkMs
    this.#giveAll(
      this.#due((timeMs) => timeMs < this.#watermarkMs),
      (key) => (this.#settledOf(key) === 1 ? LATE : ON_TIME),
    )
    this.#expire()
    return watermarkMs
  }
  tick(running: boolean): void {
    if (!running) return
    this.#giveAll(
      this.#due((timeMs) => timeMs >= this.#watermarkMs),
      () => EARLY,
    )
  }
  #due(isDue: (timeMs: number) => boolean): number[] {
    return [...this.#dirty].filter((key) => isDue(this.#times[key]!))
  }
  #settledOf(key: number): number {
    this.#settled = grownBytes(this.#settled, key + 1)
    return this.#settled[key]!
  }

  /** First all that is taken back: a row that moved to another key may come out there under the name it had. */
  #giveAll(due: readonly number[], timingOf: (key: number) => TimingIndex): void {
    const { sides, joiner } = this.#parts
    const [left, right] = sides
    const all = due.map((key) => ({ key, timing: timingOf(key), pairs: this.#pairsOf(key) }))
    for (const { key, timing, pairs } of all) {
      const before = this.#standing.get(key) ?? []
      const stand = pairNames(pairs)
      for (let i = 0; i < before.length; i += 2)
        if (!stand.has(`${before[i]} ${before[i + 1]}`))
          joiner.takeBack(timing, this.#times[key]!, left.rows.table, before[i]!, right.rows.table, before[i + 1]!)
    }
    for (const { key, timing, pairs } of all) this.#give(key, timing, pairs)
  }
  #pairsOf(key: number): number[] {
    const { sides, keys, isLeft } = this.#parts
    const [lefts, rights] = sides.map((side) => side.of(key).filter((row) => (side.flags[row]! & GONE) === 0))
    const partners = keys.isNull(key) ? [] : (rights ?? [])
    const pairs: number[] = []
    for (const row of lefts ?? []) {
      for (const other of partners) pairs.push(row, other)
      if (partners.length === 0 && isLeft) pairs.push(row, -1)
    }
    return pairs
  }
  #give(key: number, timing: TimingIndex, pairs: readonly number[]): void {
    const { sides, joiner } = this.#parts
    const [left, right] = sides
    const stood = pairNames(this.#standing.get(key) ?? [])
    for (let i = 0; i < pairs.length; i += 2) {
      const [row, other] = [pairs[i]!, pairs[i + 1]!]
      const changed = left.flags[row] === CHANGED || (other >= 0 && right.flags[other] === CHANGED)
      if (changed || !stood.has(`${row} ${other}`))
        joiner.give(timing, this.#times[key]!, left.rows.table, row, right.rows.table, other)
    }
    if (pairs.length > 0) this.#standing.set(key, pairs)
    else this.#standing.delete(key)
    this.#settledOf(key)
    if (timing !== EARLY) this.#settled[key] = 1
    for (const side of sides)
      for (const row of side.of(key)) {
        if ((side.flags[row]! & GONE) !== 0) this.#drop(side, row)
        else side.flags[row] = 0
      }
    this.#dirty.delete(key)
    this.#release(key)
  }
  #drop(side: Side, row: number): void {
    const key = side.key[row]!
    side.drop(row)
    this.#release(key)
  }
  /** A key that nobody holds is given to the next: it must not look settled then. */
  #release(key: number): void {
    const { groups } = this.#parts.keys
    const before = groups.keys.count
    groups.release(key)
    if (groups.keys.count === before) return
    this.#settled[key] = 0
    this.#standing.delete(key)
  }
  /** Windows of which nothing changes any more. */
  #expire(): void {
    for (const side of this.#parts.sides)
      for (;;) {
        const row = side.rows.older(this.#watermarkMs - this.#parts.reachMs)
        if (row < 0) break
        this.#drop(side, row)
      }
  }

  write(out: StateWriter): void {
    const { keys, sides } = this.#parts
    const { high } = keys.groups.keys
    out.f64(this.#watermarkMs)
    keys.write(out)
    for (const side of sides) side.write(out, high)
    out.floats(grownFloats(this.#times, high), high)
    out.raw(grownBytes(this.#settled, high).subarray(0, high))
    out.numbers([...this.#dirty])
    out.u32(this.#standing.size)
    for (const [key, pairs] of this.#standing) {
      out.f64(key)
      out.numbers(pairs)
    }
  }
  restore(from: StateReader): void {
    const { keys, sides } = this.#parts
    this.#watermarkMs = from.f64()
    keys.restore(from)
    for (const side of sides) side.restore(from)
    this.#times = from.floats()
    this.#settled = new Uint8Array(from.raw())
    this.#dirty.clear()
    for (const key of from.numbers()) this.#dirty.add(key)
    this.#standing.clear()
    const standing = from.u32()
    for (let i = 0; i < standing; i++) this.#standing.set(from.f64(), from.numbers())
  }
  mark(dictionary: string, live: Uint8Array): void {
    const { keys, sides } = this.#parts
    keys.mark(dictionary, live)
    for (const { rows } of sides) rows.table.mark(dictionary, live)
  }
  bytes(): number {
    const { keys, sides } = this.#parts
    let bytes = keys.bytes() + sides[0].bytes() + sides[1].bytes() + this.#times.byteLength + this.#dirty.size * 16
    for (const pairs of this.#standing.values()) bytes += 64 + pairs.length * 8
    return bytes
  }
}

function pairNames(pairs: readonly number[]): Set<string> {
  const names = new Set<string>()
  for (let i = 0; i < pairs.length; i += 2) names.add(`${pairs[i]} ${pairs[i + 1]}`)
  return names
}
