// Values of a column as small integers, given back when a sweep finds that no window holds them any more.
//
// In a snapshot a dictionary is the log of its changes, so that what is old stays the same bytes: entries of
//   u32 id | i32 length, -1 when the id was given back | the value: UTF-8, or f64
//   a text that UTF-8 cannot hold (half of a surrogate pair): length = -2 - bytes, and its UTF-16 units
// written anew once more than half of it is void.
import { SnapshotError, type StateReader, type StateWriter } from './state-bytes.ts'

const ENTRY_BYTES = 8
const GIVEN_BACK = -1

export class Dictionary<T extends string | number> {
  readonly #ids = new Map<T, number>()
  #values: (T | undefined)[] = []
  #free: number[] = []
  #textBytes = 0
  /** Changes when ids were given back: what is cached per id is void then. */
  generation = 0
  /** The log of changes as the last snapshot has it, and the ids that changed since; null: all of them. */
  #kept: Uint8Array<ArrayBuffer> = new Uint8Array(0)
  #keptLength = 0
  #changed: number[] | null = null
  /** Sweep when it holds more than this. */
  sweepAt = 65_536

  idOf(value: T): number {
    const known = this.#ids.get(value)
    if (known !== undefined) return known
    const id = this.#free.pop() ?? this.#values.length
    this.#values[id] = value
    this.#ids.set(value, id)
    this.#textBytes += typeof value === 'string' ? value.length + 64 : 64
    this.#note(id)
    return id
  }
  #note(id: number): void {
    if (this.#changed === null) return
    // Without snapshots nobody takes the list: from some length on it is cheaper to begin anew.
    if (this.#changed.length > this.#values.length) this.#changed = null
    else this.#changed.push(id)
  }
  valueOf(id: number): T {
    const value = this.#values[id]
    if (value === undefined) throw new RangeError(`no value has id ${id}`)
    return value
  }
  /** Ids ever given out: arrays indexed by id need this length. */
  get high(): number {
    return this.#values.length
  }
  get count(): number {
    return this.#ids.size
  }
  /** Estimated: the runtime does not tell what a string costs. */
  get bytes(): number {
    return this.#textBytes + this.#values.length * 8 + this.#free.length * 8 + this.#kept.length
  }
  /** Gives back every id that is not marked. */
  sweep(live: Uint8Array): void {
    for (let id = 0; id < this.#values.length; id++) {
      const value = this.#values[id]
      if (value === undefined || live[id] === 1) continue
      this.#ids.delete(value)
      this.#values[id] = undefined
      this.#free.push(id)
      this.#textBytes -= typeof value === 'string' ? value.length + 64 : 64
      this.#note(id)
    }
    this.generation++
    this.sweepAt = Math.max(65_536, this.#ids.size * 2)
  }
  /** Ids taken in or given back since the last time, all of them at first: for whoever follows it from another thread. */
  takeChanged(): readonly number[] {
    const changed = this.#changed ?? [...this.#values.keys()]
    this.#changed = []
    return changed
  }
  /** Values by id, and the free ids in the order they will be taken. */
  content(): { readonly values: readonly (T | undefined)[]; readonly free: readonly number[] } {
    return { values: this.#values, free: this.#free }
  }
  write(out: StateWriter): void {
    if (this.#changed === null || this.#keptLength > ENTRY_BYTES * 1024 + this.#ids.size * 16 + this.#textBytes * 2) {
      this.#keptLength = 0
      for (const id of this.#values.keys()) if (this.#values[id] !== undefined) this.#keep(id)
    } else for (const id of this.#changed) this.#keep(id)
    this.#changed = []
    out.raw(this.#kept.subarray(0, this.#keptLength))
    out.u32(this.#values.length)
    out.numbers(this.#free)
    out.f64(this.sweepAt)
  }
  #keep(id: number): void {
    const value = this.#values[id]
    const room = this.#keptLength + ENTRY_BYTES + (typeof value === 'string' ? value.length * 3 : 8)
    if (room > this.#kept.length) {
      const grown = new Uint8Array(Math.max(room, this.#kept.length * 2))
      grown.set(this.#kept.subarray(0, this.#keptLength))
      this.#kept = grown
    }
    const view = new DataView(this.#kept.buffer, this.#keptLength)
    let length = 0
    let stored = 0
    if (typeof value === 'string' && !value.isWellFormed()) {
      for (let i = 0; i < value.length; i++) view.setUint16(ENTRY_BYTES + i * 2, value.charCodeAt(i), true)
      length = value.length * 2
      stored = -2 - length
    } else if (typeof value === 'string')
      length = encoder.encodeInto(value, this.#kept.subarray(this.#keptLength + ENTRY_BYTES)).written
    else if (typeof value === 'number') {
      view.setFloat64(ENTRY_BYTES, value, true)
      length = 8
    }
    view.setUint32(0, id, true)
    view.setInt32(4, value === undefined ? GIVEN_BACK : stored === 0 ? length : stored, true)
    this.#keptLength += ENTRY_BYTES + length
  }
  /** `read` makes a value of its bytes. */
  restore(from: StateReader, read: (bytes: DataView<ArrayBuffer>, isHalf: boolean) => T): void {
    const kept = from.raw()
    const high = from.u32()
    const free = from.numbers()
    const values: (T | undefined)[] = Array.from({ length: high })
    const view = new DataView(kept.buffer)
    for (let at = 0; at < kept.length; ) {
      if (at + ENTRY_BYTES > kept.length)
        throw new SnapshotError('the snapshot is damaged: a dictionary ends in the middle')
      const id = view.getUint32(at, true)
      const stored = view.getInt32(at + 4, true)
      const isHalf = stored < GIVEN_BACK
      const length = isHalf ? -2 - stored : stored
      at += ENTRY_BYTES
      if (id >= high || at + length > kept.length)
        throw new SnapshotError(`the snapshot is damaged: a dictionary of ${high} values names ${id}`)
      values[id] = stored === GIVEN_BACK ? undefined : read(new DataView(kept.buffer, at, length), isHalf)
      at += Math.max(0, length)
    }
    this.load(values, free, from.f64())
    this.#kept = kept
    this.#keptLength = kept.length
    this.#changed = []
  }
  load(values: readonly (T | undefined)[], free: readonly number[], sweepAt: number): void {
    this.#values = [...values]
    this.#free = [...free]
    this.#changed = null
    this.sweepAt = sweepAt
    this.#ids.clear()
    this.#textBytes = 0
    this.generation++
    for (const [id, value] of this.#values.entries()) {
      if (value === undefined) continue
      this.#ids.set(value, id)
      this.#textBytes += typeof value === 'string' ? value.length + 64 : 64
    }
  }
}

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
/** What `restore` reads a text by, and a number. */
export const textOf = (bytes: DataView<ArrayBuffer>, isHalf: boolean): string =>
  isHalf ? unitsOf(bytes) : decoder.decode(bytes)
export const numberOf = (bytes: DataView<ArrayBuffer>): number => bytes.getFloat64(0, true)

/** A decoder of UTF-16 would mend what is to be kept. */
function unitsOf(bytes: DataView<ArrayBuffer>): string {
  let text = ''
  for (let at = 0; at < bytes.byteLength; at += 2) text += String.fromCharCode(bytes.getUint16(at, true))
  return text
}
