// A row for each element of a list: what is wanted of the row and of the element, gathered into columns of its own. The
// rows keep the record, partition and watermark of theirs.
import type { PlanNode } from '../query/plan.ts'
import { assert } from '../std/assert.ts'
import { type Batch, type ListColumn, textAt, type ValueColumn } from './columns.ts'
import { grownFloats, grownInts } from './int-set.ts'
import type { Place } from './operator.ts'
import { isTextKind } from './results.ts'
import type { LoweredView, RowView, Taker, ViewParts } from './row-views.ts'

export function lowerUnnest({
  node,
  inputs,
}: ViewParts & { readonly node: PlanNode & { kind: 'unnest' } }): LoweredView {
  const input = inputs[0]!
  const list = input.placeOf(node.array)
  const elements = list.elements ?? new Map<string, Place>()
  const sources = node.columns.map(({ name }): Source => {
    const passes = name !== node.array && input.columns.some((column) => column.name === name)
    if (passes) return { from: 'row', place: input.placeOf(name) }
    const place = elements.get(name === node.array ? '' : name)
    assert(place !== undefined, `elements of list '${node.array}' come with '${name}'`)
    return { from: 'element', place }
  })
  const texts = node.columns.map(({ type }) => isTextKind(type.kind))
  const places = sources.map(({ place }, slot): Place => ({ slot, dictionary: place.dictionary }))
  return { view: new Unnest(list.slot, sources, texts), places, slots: places.length, timeOf: [0] }
}

interface Source {
  readonly from: 'row' | 'element'
  readonly place: Place
}

class Unnest implements RowView {
  readonly #list: number
  readonly #sources: readonly Source[]
  #parents: Int32Array<ArrayBuffer> = new Int32Array(0)
  #elements: Int32Array<ArrayBuffer> = new Int32Array(0)
  #all: Int32Array<ArrayBuffer> = new Int32Array(0)
  readonly #batch: Batch

  constructor(list: number, sources: readonly Source[], texts: readonly boolean[]) {
    this.#list = list
    this.#sources = sources
    const floats = (): Float64Array<ArrayBuffer> => new Float64Array(0)
    this.#batch = {
      topic: '',
      partition: 0,
      rows: 0,
      columns: sources.map(({ place }, i): ValueColumn => {
        if (place.dictionary !== null) return { kind: 'id', values: new Int32Array(0), dictionary: place.dictionary.of }
        return texts[i] ? { kind: 'text', values: [] } : { kind: 'number', values: floats() }
      }),
      times: floats(),
      watermarks: floats(),
      records: new Int32Array(0),
      offsets: floats(),
      derived: null,
    }
  }
  push(_input: number, batch: Batch, rows: Int32Array, count: number, give: Taker): void {
    const list = batch.columns[this.#list]!
    assert(list.kind === 'list', 'what is unnested is a list')
    const made = this.#find(list, rows, count)
    if (made === 0) return
    const into = this.#batch
    into.rows = made
    into.partition = batch.partition
    into.times = gathered(into.times, batch.times, this.#parents, made)
    into.watermarks = gathered(into.watermarks, batch.watermarks, this.#parents, made)
    into.offsets = gathered(into.offsets, batch.offsets, this.#parents, made)
    into.records = gatheredInts(into.records, batch.records, this.#parents, made)
    this.#sources.forEach(({ from, place }, i) => {
      const source = from === 'row' ? batch.columns[place.slot]! : list.elements[place.slot]!
      this.#gather(i, source, from === 'row' ? this.#parents : this.#elements, made)
    })
    const before = this.#all.length
    this.#all = grownInts(this.#all, made)
    for (let i = before; i < this.#all.length; i++) this.#all[i] = i
    give(into, this.#all, made)
  }
  /** Row and element of each row to be. */
  #find(list: ListColumn, rows: Int32Array, count: number): number {
    let made = 0
    for (let i = 0; i < count; i++) {
      const row = rows[i]!
      const [from, to] = [list.first[row]!, list.first[row + 1]!]
      this.#parents = grownInts(this.#parents, made + to - from)
      this.#elements = grownInts(this.#elements, made + to - from)
      for (let element = from; element < to; element++) {
        this.#parents[made] = row
        this.#elements[made++] = element
      }
    }
    return made
  }
  #gather(index: number, from: Batch['columns'][number], at: Int32Array, count: number): void {
    const into = this.#batch.columns[index]!
    if (into.kind === 'number' && from.kind === 'number') into.values = gathered(into.values, from.values, at, count)
    else if (into.kind === 'id' && from.kind === 'id') into.values = gatheredInts(into.values, from.values, at, count)
    else if (into.kind === 'text' && from.kind === 'text')
      for (let i = 0; i < count; i++) into.values[i] = textAt(from, at[i]!)
    else assert(false, `a ${from.kind} column where ${into.kind} is gathered`)
  }
  write(): void {}
  restore(): void {}
  mark(): void {}
  bytes(): number {
    return 0
  }
}

function gathered(into: Float64Array<ArrayBuffer>, from: Float64Array, at: Int32Array, count: number) {
  const values = grownFloats(into, count)
  for (let i = 0; i < count; i++) values[i] = from[at[i]!]!
  return values
}
function gatheredInts(into: Int32Array<ArrayBuffer>, from: Int32Array, at: Int32Array, count: number) {
  const values = grownInts(into, count)
  for (let i = 0; i < count; i++) values[i] = from[at[i]!]!
  return values
}
