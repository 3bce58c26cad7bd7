// What a job asks of any window (of one pane, sliding, cumulative, session): rows in, time forward, ticks; rows come out
// through its `WindowRows`.
import type { Batch } from './columns.ts'
import type { IdsOf } from './pane-gathering.ts'
import type { StateReader, StateWriter } from './state-bytes.ts'
import type { TooLate } from './window-input.ts'

export interface WindowOperator {
  push(batch: Batch, rows: Int32Array, count: number, tooLate: TooLate): void
  /** The global watermark; Infinity at the end of bounded input. Closes windows, first giving out due corrections. */
  advance(watermarkMs: number): void
  /** Gives out due corrections, and running rows if asked for. */
  tick(running: boolean): void
  write(out: StateWriter): void
  restore(from: StateReader): void
  /** Where rows may be gathered on another thread; missing or null where they may not. */
  readonly gathering?: Gathering | null
  /** Marks the dictionary ids of a column that its groups or states hold. */
  mark(column: string, live: Uint8Array): void
  bytes(): number
}

/** See `pane-gathering.ts`. */
export interface Gathering {
  give(out: StateWriter, untilMs: number): void
  takeIn(from: StateReader, idsOf: IdsOf): void
}
