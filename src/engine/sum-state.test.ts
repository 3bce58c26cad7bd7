// Sums past 2^53: exact in two lanes, and an error that names the key where they cannot be right any more.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Batch } from './columns.ts'
import { Dictionary } from './dictionary.ts'
import { Groups } from './panes.ts'
import { LANE, SumOverflowError, SumState } from './sum-state.ts'
import { keyOfPlace } from './window-shape.ts'
import { CELLS, type Place, RESULTS, RUNNING } from './window-state.ts'

const largest = Number.MAX_SAFE_INTEGER
const batch: Batch = {
  topic: '',
  partition: 0,
  rows: 1,
  columns: [],
  times: new Float64Array(1),
  watermarks: new Float64Array(1),
  records: new Int32Array(1),
  offsets: new Float64Array(1),
}
/** Two cells; the first holds the value. */
function stateOf(value: number, keyOf: (place: Place, index: number) => string): SumState {
  const state = new SumState(() => Float64Array.of(value), null, keyOf)
  state.grow(2, 1, 1)
  state.prepare(batch)
  state.update(Int32Array.of(0), Int32Array.of(0), 1)
  return state
}
const whole = (state: SumState, cell: number): bigint =>
  BigInt(state.readHigh(CELLS, cell)) * BigInt(LANE) + BigInt(state.read(CELLS, cell))

for (const value of [largest, -largest])
  test(`sums of ${value} are exact up to 2^104, then an error names the key`, () => {
    const [words, numbers] = [new Dictionary<string>(), new Dictionary<number>()]
    const groups = new Groups(2)
    const assigned = new Int32Array(1)
    groups.assign([Int32Array.of(words.idOf('an "n"')), Int32Array.of(-1)], Int32Array.of(0), 1, assigned)
    const columns = [
      { kind: 'text', dictionary: words },
      { kind: 'number', dictionary: numbers },
    ] as const
    const keyOf = keyOfPlace(['who', 'size'], columns, groups, () => assigned[0]!)
    const state = stateOf(value, keyOf)
    let [a, b] = [BigInt(value), 0n]
    const double = (): void => {
      for (let i = 0; i < 40; i++) {
        state.merge(0, 1)
        b += a
        assert.equal(whole(state, 1), b)
        state.merge(1, 0)
        a += b
        assert.equal(whole(state, 0), a)
      }
    }
    assert.throws(
      double,
      (error) =>
        error instanceof SumOverflowError &&
        /^the sum of who = "an \\"n\\"", size = null passed 2\^104: .* filter them out$/.test(error.message),
    )
    assert.ok(a > 2n ** 102n || a < -(2n ** 102n), `stopped early, at ${a}`)
    assert.equal(keyOf(RUNNING, assigned[0]!), 'who = "an \\"n\\"", size = null')
    assert.equal(keyOf(RESULTS, 0), 'a window that late records correct')
    assert.equal(keyOfPlace([], [], groups, () => 0)(CELLS, 5), 'all rows')
  })
