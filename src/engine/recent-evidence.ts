// Which offsets lie behind what is told of a stretch of time before now: least and greatest per lane, of all keys, in 64
// panes of the stretch. So a span may reach up to a 64th of the stretch too far back, never too short.
import type { RowTable } from './row-table.ts'
import { emptySpan } from './row-table.ts'
import type { StateReader, StateWriter } from './state-bytes.ts'

const PANES = 64

export class RecentEvidence {
  readonly #lanes: number
  readonly #stretchMs: number
  readonly #paneMs: number
  /** Oldest first; the last one takes records. */
  #panes: { readonly pane: number; readonly span: Float64Array<ArrayBuffer> }[] = []
  /** All panes but the last together. */
  #before: Float64Array<ArrayBuffer>
  readonly #both: Float64Array<ArrayBuffer>

  constructor(lanes: number, stretchMs: number) {
    this.#lanes = lanes
    this.#stretchMs = stretchMs
    this.#paneMs = Math.max(1, Math.ceil(stretchMs / PANES))
    this.#before = emptySpan(lanes)
    this.#both = emptySpan(lanes)
  }
  /** Times must not fall. */
  take(timeMs: number, rows: RowTable, row: number): void {
    const pane = Math.floor(timeMs / this.#paneMs)
    if (this.#panes.at(-1)?.pane !== pane) this.#begin(pane)
    rows.widen(this.#panes.at(-1)!.span, row)
  }
  #begin(pane: number): void {
    // The window at the pane's first instant begins one stretch before; panes that end there or before are over.
    const fromMs = pane * this.#paneMs - this.#stretchMs
    this.#panes = this.#panes.filter((one) => (one.pane + 1) * this.#paneMs > fromMs)
    this.#before = emptySpan(this.#lanes)
    for (const { span } of this.#panes) widen(this.#before, span)
    this.#panes.push({ pane, span: emptySpan(this.#lanes) })
  }
  /** Valid until the next call. */
  span(): Float64Array {
    this.#both.set(this.#before)
    const last = this.#panes.at(-1)
    if (last !== undefined) widen(this.#both, last.span)
    return this.#both
  }
  write(out: StateWriter): void {
    out.u32(this.#panes.length)
    for (const { pane, span } of this.#panes) {
      out.f64(pane)
      out.floats(span, span.length)
    }
    out.floats(this.#before, this.#before.length)
  }
  restore(from: StateReader): void {
    this.#panes = Array.from({ length: from.u32() }, () => ({ pane: from.f64(), span: from.floats() }))
    this.#before = from.floats()
  }
  bytes(): number {
    return (this.#panes.length + 2) * this.#lanes * 16
  }
}
function widen(span: Float64Array, by: Float64Array): void {
  for (let i = 0; i < span.length; i += 2) {
    if (by[i]! < span[i]!) span[i] = by[i]!
    if (by[i + 1]! > span[i + 1]!) span[i + 1] = by[i + 1]!
  }
}
