// A window as an operator of the graph: it has one input, and its rows keep up with its watermark.
import type { Batch } from './columns.ts'
import type { Operator } from './operator.ts'
import type { StateReader, StateWriter } from './state-bytes.ts'
import type { TooLate } from './window-input.ts'
import type { Gathering, WindowOperator } from './window-operator.ts'

export class WindowRunner implements Operator {
  readonly #window: WindowOperator
  readonly #tooLate: TooLate
  constructor(window: WindowOperator, tooLate: TooLate) {
    this.#window = window
    this.#tooLate = tooLate
  }
  get gathering(): Gathering | null {
    return this.#window.gathering ?? null
  }
  push(_input: number, batch: Batch, rows: Int32Array, count: number): void {
    this.#window.push(batch, rows, count, this.#tooLate)
  }
  advance(watermarkMs: number): number {
    this.#window.advance(watermarkMs)
    return watermarkMs
  }
  tick(running: boolean): void {
    this.#window.tick(running)
  }
  write(out: StateWriter): void {
    this.#window.write(out)
  }
  restore(from: StateReader): void {
    this.#window.restore(from)
  }
  mark(dictionary: string, live: Uint8Array): void {
    this.#window.mark(dictionary, live)
  }
  bytes(): number {
    return this.#window.bytes()
  }
}
