// Joins of streams by key and time: interval (times that are near) and latest (the newest right row at a left row's time).
//
// Which rows meet depends on the rows alone: each row of a topic is taken or too late by the watermark of its own
// partition, and what was taken stays until none can come that it would meet. So the result is the same set of rows,
// however batches and partitions interleave.
import type { PlanNode } from '../query/plan.ts'
import type { Batch } from './columns.ts'
import { SharedKeys } from './join-keys.ts'
import { JoinSide } from './join-side.ts'
import type { Operator, OperatorContext } from './operator.ts'
import type { LoweredOperator } from './operators.ts'
import { ON_TIME } from './results.ts'
import { RowJoiner } from './row-joiner.ts'
import type { StateReader, StateWriter } from './state-bytes.ts'

export type JoinNode = PlanNode & { readonly kind: 'join' }

export function lowerStreamJoin(context: OperatorContext<JoinNode>): LoweredOperator {
  const { node, lanes, out } = context
  const [left, right] = [context.inputs[0]!, context.inputs[1]!]
  const joiner = new RowJoiner(node, context.inputs, out, lanes)
  const keys = new SharedKeys(
    context,
    node.on.map((pair) => [pair.left, pair.right]),
  )
  const parts: JoinParts = {
    sides: [new JoinSide(left, lanes), new JoinSide(right, lanes)],
    keys,
    joiner,
    isLeft: node.side === 'left',
    beforeMs: node.beforeMs,
    afterMs: node.afterMs,
    latenessMs: context.latenessMs,
    reachMs: [left.reachMs, right.reachMs],
    tooLate: context.tooLate,
  }
  const { texts } = joiner
  if (node.how === 'latest') {
    const reachMs = Math.max(0, left.reachMs - right.reachMs)
    return { operator: new LatestJoin(parts), texts, updates: false, reachMs }
  }
  const reachMs = Math.max(left.reachMs, right.reachMs)
  return { operator: new IntervalJoin(parts), texts, updates: false, reachMs }
}

interface JoinParts {
  readonly sides: readonly [JoinSide, JoinSide]
  readonly keys: SharedKeys
  readonly joiner: RowJoiner
  /** Left rows without a match come out too. */
  readonly isLeft: boolean
  readonly beforeMs: number
  readonly afterMs: number
  readonly latenessMs: number
  /** How far behind the watermark rows of either side may come. */
  readonly reachMs: readonly [number, number]
  readonly tooLate: (batch: Batch, row: number, watermarkMs: number) => void
}

/** What both joins keep: two sides by shared keys. */
class Sides {
  readonly parts: JoinParts
  constructor(parts: JoinParts) {
    this.parts = parts
  }
  /** Takes rows in; `taken` is told of each. */
  push(side: 0 | 1, batch: Batch, rows: Int32Array, count: number, taken: (row: number, key: number) => void): void {
    const { keys, sides, isLeft, latenessMs, tooLate } = this.parts
    const found = keys.begin(side, batch, rows, count)
    for (let i = 0; i < count; i++) {
      const row = rows[i]!
      const watermarkMs = batch.watermarks[row]!
      if (!batch.derived && batch.times[row]! < watermarkMs - latenessMs) {
        tooLate(batch, row, watermarkMs)
        continue
      }
      const key = found[row]!
      // It meets nothing, and comes out only as a left row.
      if (keys.isNull(key) && (side === 1 || !isLeft)) continue
      const made = sides[side].add(batch, row, key)
      keys.groups.use(key)
      taken(made, key)
    }
    keys.done(rows, count)
  }
  remove(side: 0 | 1, row: number): void {
    const { keys, sides } = this.parts
    const key = sides[side].key[row]!
    sides[side].remove(row)
    keys.groups.release(key)
  }
  write(out: StateWriter): void {
    const { keys, sides } = this.parts
    keys.write(out)
    for (const side of sides) side.write(out, keys.groups.keys.high)
  }
  restore(from: StateReader): void {
    const { keys, sides } = this.parts
    keys.restore(from)
    for (const side of sides) side.restore(from)
  }
  mark(dictionary: string, live: Uint8Array): void {
    const { keys, sides } = this.parts
    keys.mark(dictionary, live)
    for (const { table } of sides) table.mark(dictionary, live)
  }
  bytes(): number {
    const { keys, sides } = this.parts
    return keys.bytes() + sides[0].bytes() + sides[1].bytes()
  }
}

/** Right time in [left time - before, left time + after]. A row has the time of its left row. */
class IntervalJoin implements Operator {
  readonly #sides: Sides
  readonly #parts: JoinParts
  constructor(parts: JoinParts) {
    this.#parts = parts
    this.#sides = new Sides(parts)
  }
  push(input: number, batch: Batch, rows: Int32Array, count: number): void {
    const { sides, keys, beforeMs, afterMs } = this.#parts
    const [left, right] = sides
    if (input === 0)
      this.#sides.push(0, batch, rows, count, (row, key) => {
        const timeMs = left.table.times[row]!
        left.heap.push(timeMs, row)
        if (keys.isNull(key)) return
        for (let other = right.newest(key); other >= 0; other = right.older(other)) {
          const otherMs = right.table.times[other]!
          if (otherMs > timeMs + afterMs) continue
          if (otherMs < timeMs - beforeMs) break
          this.#meet(row, other)
        }
      })
    else
      this.#sides.push(1, batch, rows, count, (row, key) => {
        const timeMs = right.table.times[row]!
        right.heap.push(timeMs, row)
        for (let other = left.newest(key); other >= 0; other = left.older(other)) {
          const otherMs = left.table.times[other]!
          if (otherMs > timeMs + beforeMs) continue
          if (otherMs < timeMs - afterMs) break
          this.#meet(other, row)
        }
      })
  }
  #meet(leftRow: number, rightRow: number): void {
    const { sides, joiner } = this.#parts
    const [left, right] = sides
    left.matched[leftRow] = 1
    joiner.give(ON_TIME, left.table.times[leftRow]!, left.table, leftRow, right.table, rightRow)
  }
  advance(watermarkMs: number): number {
    const { sides, isLeft, joiner, beforeMs, afterMs, reachMs } = this.#parts
    const [left, right] = sides
    // The oldest right row that may still come lies past what the left row takes.
    while (left.heap.count > 0 && left.heap.least + afterMs < watermarkMs - reachMs[1]) {
      const timeMs = left.heap.least
      const row = left.heap.pop()
      if (isLeft && left.matched[row] === 0) joiner.give(ON_TIME, timeMs, left.table, row, right.table, -1)
      this.#sides.remove(0, row)
    }
    while (right.heap.count > 0 && right.heap.least + beforeMs < watermarkMs - reachMs[0])
      this.#sides.remove(1, right.heap.pop())
    return watermarkMs - afterMs
  }
  tick(): void {}
  write(out: StateWriter): void {
    this.#sides.write(out)
  }
  restore(from: StateReader): void {
    this.#sides.restore(from)
  }
  mark(dictionary: string, live: Uint8Array): void {
    this.#sides.mark(dictionary, live)
  }
  bytes(): number {
    return this.#sides.bytes()
  }
}

/** The last right row with right time <= left time, not older than `before` (0: however old). */
class LatestJoin implements Operator {
  readonly #sides: Sides
  readonly #parts: JoinParts
  constructor(parts: JoinParts) {
    this.#parts = parts
    this.#sides = new Sides(parts)
  }
  push(input: number, batch: Batch, rows: Int32Array, count: number): void {
    const side = input === 0 ? 0 : 1
    const { table, heap } = this.#parts.sides[side]
    this.#sides.push(side, batch, rows, count, (row) => heap.push(table.times[row]!, row))
  }
  advance(watermarkMs: number): number {
    const { sides, reachMs } = this.#parts
    const [left, right] = sides
    const settledMs = watermarkMs - reachMs[1]
    // No right row can come any more that is not newer.
    while (left.heap.count > 0 && left.heap.least < settledMs) {
      const row = left.heap.pop()
      this.#answer(row)
      this.#sides.remove(0, row)
    }
    // The oldest left row that may still come: what it would not see is let go.
    const oldestMs = watermarkMs - Math.max(reachMs[0], reachMs[1])
    while (right.heap.count > 0 && right.heap.least < oldestMs) this.#settle(right.heap.pop(), oldestMs)
    return settledMs
  }
  #answer(row: number): void {
    const { sides, isLeft, joiner, keys, beforeMs } = this.#parts
    const [left, right] = sides
    const [timeMs, key] = [left.table.times[row]!, left.key[row]!]
    let found = keys.isNull(key) ? -1 : right.newest(key)
    while (found >= 0 && right.table.times[found]! > timeMs) found = right.older(found)
    if (found >= 0 && beforeMs > 0 && right.table.times[found]! < timeMs - beforeMs) found = -1
    if (found >= 0 || isLeft) joiner.give(ON_TIME, timeMs, left.table, row, right.table, found)
  }
  /** All left rows to come lie at or after this right row: those before it will not be asked for again. */
  #settle(row: number, oldestMs: number): void {
    const { sides, beforeMs } = this.#parts
    const right = sides[1]
    // Its number may be another row's by now.
    if (right.table.used[row] === 0 || right.table.times[row]! >= oldestMs) return
    for (let older = right.older(row); older >= 0; older = right.older(row)) this.#sides.remove(1, older)
    if (beforeMs === 0) return
    const until = right.table.times[row]! + beforeMs
    if (until < oldestMs) this.#sides.remove(1, row)
    else right.heap.push(until, row)
  }
  tick(): void {}
  write(out: StateWriter): void {
    this.#sides.write(out)
  }
  restore(from: StateReader): void {
    this.#sides.restore(from)
  }
  mark(dictionary: string, live: Uint8Array): void {
    this.#sides.mark(dictionary, live)
  }
  bytes(): number {
    return this.#sides.bytes()
  }
}
