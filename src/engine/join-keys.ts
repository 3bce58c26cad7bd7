// Keys that two inputs share: values of both sides as the same small numbers, whatever dictionaries they come by.
import type { Column, Plan } from '../query/plan.ts'
import { PlanError } from '../query/plan.ts'
import { assert } from '../std/assert.ts'
import { numberDictionary } from './aggregate-states.ts'
import type { Batch } from './columns.ts'
import { Dictionary } from './dictionary.ts'
import { numberIds } from './distinct-state.ts'
import { lowerNumbers } from './expressions.ts'
import { grownInts } from './int-set.ts'
import type { InputShape, NumberDictionary, TextDictionary } from './operator.ts'
import { Groups } from './panes.ts'
import { isTextKind } from './results.ts'
import type { StateReader, StateWriter } from './state-bytes.ts'

export interface KeyParts {
  readonly plan: Plan
  readonly node: { readonly id: string }
  readonly inputs: readonly InputShape[]
  readonly numbers: NumberDictionary[]
  readonly texts: TextDictionary[]
}
/** Ids of a column, -1 for null. */
export type Ids = (batch: Batch) => Int32Array

const UNKNOWN = -2

/** Ids of a text column in another dictionary than its own. */
export function translatedIds(slot: number, into: Dictionary<string>): (batch: Batch) => Int32Array<ArrayBuffer> {
  let ids = new Int32Array(0)
  let known = new Int32Array(0)
  let of: Dictionary<string> | null = null
  let [generation, intoGeneration] = [-1, -1]
  return (batch) => {
    const column = batch.columns[slot]!
    assert(column.kind === 'id', 'text that is joined comes by id')
    const { dictionary, values } = column
    if (dictionary === into) return values
    if (dictionary !== of || dictionary.generation !== generation || into.generation !== intoGeneration) {
      known = new Int32Array(0)
      of = dictionary
      generation = dictionary.generation
      intoGeneration = into.generation
    }
    const before = known.length
    known = grownInts(known, dictionary.high).fill(UNKNOWN, before)
    ids = grownInts(ids, batch.rows)
    for (let row = 0; row < batch.rows; row++) {
      const id = values[row]!
      if (id < 0) {
        ids[row] = -1
        continue
      }
      let found = known[id]!
      if (found === UNKNOWN) {
        found = into.idOf(dictionary.valueOf(id))
        known[id] = found
      }
      ids[row] = found
    }
    return ids
  }
}

/** Keys by number, counted by those who hold them: `groups.use` and `groups.release`. */
export class SharedKeys {
  readonly groups: Groups
  /** Per side, ids of each column. */
  readonly #sides: readonly (readonly Ids[])[]
  readonly #names: readonly string[]
  #keys = new Int32Array(0)

  /** `on`: names of each column of the key, by side. */
  constructor(parts: KeyParts, on: readonly (readonly string[])[]) {
    this.groups = new Groups(on.length)
    const names: string[] = []
    const columns = on.map((sides) => {
      const types = sides.map((name, side) => columnOf(parts, side, name).type)
      if (isTextKind(types[0]!.kind)) {
        const made = { name: `keys of ${parts.node.id} ${parts.texts.length}`, dictionary: new Dictionary<string>() }
        parts.texts.push(made)
        names.push(made.name)
        return sides.map((name, side) => translatedIds(parts.inputs[side]!.placeOf(name).slot, made.dictionary))
      }
      const made = numberDictionary(parts)
      names.push(made.name)
      return sides.map((name, side) => {
        const slotOf = (column: string): number => parts.inputs[side]!.placeOf(column).slot
        return numberIds(lowerNumbers({ op: 'column', name, type: types[side]! }, slotOf), made.dictionary)
      })
    })
    this.#sides = parts.inputs.map((_, side) => columns.map((sides) => sides[side]!))
    this.#names = names
  }
  /**
   * The key of each listed row, by row: -1 where a part of it is null. The keys are in use until `done`, whoever else holds
   * them.
   */
  begin(side: number, batch: Batch, rows: Int32Array, count: number): Int32Array {
    if (this.#keys.length < batch.rows) this.#keys = new Int32Array(batch.rows)
    const keys = this.#keys
    const columns = this.#sides[side]!.map((ids) => ids(batch))
    this.groups.assign(columns, rows, count, keys)
    for (let i = 0; i < count; i++) this.groups.use(keys[rows[i]!]!)
    return keys
  }
  isNull(key: number): boolean {
    const { keys, width } = this.groups.keys
    for (let i = 0; i < this.#names.length; i++) if (keys[key * width + i]! < 0) return true
    return false
  }
  done(rows: Int32Array, count: number): void {
    for (let i = 0; i < count; i++) this.groups.release(this.#keys[rows[i]!]!)
  }
  mark(dictionary: string, live: Uint8Array): void {
    this.#names.forEach((name, i) => {
      if (name === dictionary) this.groups.mark(i, live)
    })
  }
  write(out: StateWriter): void {
    this.groups.write(out)
  }
  restore(from: StateReader): void {
    this.groups.restore(from)
  }
  bytes(): number {
    return this.groups.bytes()
  }
}

function columnOf({ plan, node, inputs }: KeyParts, side: number, name: string): Column {
  const column = inputs[side]?.columns.find((one) => one.name === name)
  if (column === undefined)
    throw new PlanError(plan.name, node.id, `input ${side} has no column '${name}'`, 'Build plans with `from`')
  return column
}
