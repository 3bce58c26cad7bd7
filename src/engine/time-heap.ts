// Cells by the time they are to be looked at: a binary heap in typed arrays, least time first.
import { grownFloats, grownInts } from './int-set.ts'
import type { StateReader, StateWriter } from './state-bytes.ts'

export class TimeHeap {
  count = 0
  #times: Float64Array<ArrayBuffer> = new Float64Array(0)
  #cells: Int32Array<ArrayBuffer> = new Int32Array(0)

  /** Of a heap that is not empty. */
  get least(): number {
    return this.#times[0]!
  }
  push(timeMs: number, cell: number): void {
    this.#times = grownFloats(this.#times, this.count + 1)
    this.#cells = grownInts(this.#cells, this.count + 1)
    let at = this.count++
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (this.#times[parent]! <= timeMs) break
      this.#times[at] = this.#times[parent]!
      this.#cells[at] = this.#cells[parent]!
      at = parent
    }
    this.#times[at] = timeMs
    this.#cells[at] = cell
  }
  /** Takes out the cell of the least time. */
  pop(): number {
    const top = this.#cells[0]!
    this.count--
    const [timeMs, cell] = [this.#times[this.count]!, this.#cells[this.count]!]
    let at = 0
    for (let child = 1; child < this.count; child = at * 2 + 1) {
      if (child + 1 < this.count && this.#times[child + 1]! < this.#times[child]!) child++
      if (this.#times[child]! >= timeMs) break
      this.#times[at] = this.#times[child]!
      this.#cells[at] = this.#cells[child]!
      at = child
    }
    this.#times[at] = timeMs
    this.#cells[at] = cell
    return top
  }
  clear(): void {
    this.count = 0
  }
  write(out: StateWriter): void {
    out.floats(this.#times, this.count)
    out.ints(this.#cells, this.count)
  }
  restore(from: StateReader): void {
    this.#times = from.floats()
    this.#cells = from.ints()
    this.count = this.#cells.length
  }
  bytes(): number {
    return this.#times.byteLength + this.#cells.byteLength
  }
}
