// Ids of another thread's dictionary as ids of ours. The other thread tells each value with the id it gave it; we look it
// up when it is first met, and again after a sweep of ours may have given our id back.
import { assert } from '../std/assert.ts'
import type { Dictionary } from './dictionary.ts'
import { grownInts } from './int-set.ts'
import type { StateReader, StateWriter } from './state-bytes.ts'

export class ForeignIds<T extends string | number> {
  readonly #ours: Dictionary<T>
  /** By their id. */
  readonly #values: (T | undefined)[] = []
  /** Our id by theirs, plus one; 0: not looked up yet. */
  #map: Int32Array<ArrayBuffer> = new Int32Array(0)
  #generation: number

  constructor(ours: Dictionary<T>) {
    this.#ours = ours
    this.#generation = ours.generation
  }
  /** What their dictionary took in or gave back since the last time; `read` makes a value of its text. */
  learn(from: StateReader, read: (from: StateReader) => T): void {
    const ids = from.lentInts()
    for (const id of ids) {
      this.#values[id] = read(from)
      this.#map = grownInts(this.#map, id + 1)
      this.#map[id] = 0
    }
  }
  /** Before ids are mapped: what was looked up before a sweep is void. */
  begin(): void {
    if (this.#generation === this.#ours.generation) return
    this.#generation = this.#ours.generation
    this.#map.fill(0)
  }
  /** Null stays null. */
  of(id: number): number {
    if (id < 0) return id
    const known = this.#map[id]!
    if (known > 0) return known - 1
    const value = this.#values[id]
    assert(value !== undefined, `the other thread has told no value of id ${id}`)
    const ours = this.#ours.idOf(value)
    this.#map[id] = ours + 1
    return ours
  }
  mapAll(ids: Int32Array, count: number): void {
    this.begin()
    for (let i = 0; i < count; i++) ids[i] = this.of(ids[i]!)
  }
}

/** The other side of `learn`: what the dictionary took in since the last time. */
export function tellTexts(dictionary: Dictionary<string>, out: StateWriter): void {
  const ids = news(dictionary)
  out.ints(ids, ids.length)
  for (const id of ids) out.text(dictionary.valueOf(id))
}
export function tellNumbers(dictionary: Dictionary<number>, out: StateWriter): void {
  const ids = news(dictionary)
  out.ints(ids, ids.length)
  for (const id of ids) out.f64(dictionary.valueOf(id))
}
function news<T extends string | number>(dictionary: Dictionary<T>): Int32Array {
  const changed = dictionary.takeChanged()
  if (changed.length === 0) return none
  const { values } = dictionary.content()
  return Int32Array.from([...new Set(changed)].filter((id) => values[id] !== undefined))
}
const none = new Int32Array(0)
