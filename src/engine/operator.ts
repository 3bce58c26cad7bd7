// The seam between the graph of a Plan and its stateful operators: columnar rows in by input, time forward, rows out
// through a sink. An operator knows neither what comes before it nor what follows.
//
// To add one: a file with `lowerX(context): Operator`, and its case in `operators.ts`.
//
// Changes. The rows of an input that updates (`updates`) have weights: 1 puts a row, in place of the one that stands under
// its upsert key; -1 takes back what stands there, if anything does, and only columns of the key then hold something.
//
// Time. A row of an input never lies further behind the input's watermark than its `reachMs`, and no change concerns an
// older row. So what an operator keeps about a time it may forget once its watermark is `reachMs` past it. Rows of a
// decoder alone can come later than that: `tooLate` takes them (they are late by the watermark of their own partition).
import type { Changelog, Column, Plan, PlanNode } from '../query/plan.ts'
import type { Batch } from './columns.ts'
import type { Dictionary } from './dictionary.ts'
import type { TimingIndex } from './results.ts'
import type { StateReader, StateWriter } from './state-bytes.ts'
import type { Gathering } from './window-operator.ts'

export interface Operator {
  /** Rows of one input (0, or 1 for the right side of a join). They are the maker's again when this returns. */
  push(input: number, batch: Batch, rows: Int32Array, count: number): void
  /**
   * The least watermark of its inputs; Infinity at the end of bounded input. Called after every push of anything in the
   * graph, also where the watermark stands still. Gives out what is due; returns the watermark that its own rows keep.
   */
  advance(watermarkMs: number): number
  /** A recorded tick: gives out due corrections, and running rows if asked for. */
  tick(running: boolean): void
  write(out: StateWriter): void
  restore(from: StateReader): void
  /** Marks the ids of a dictionary (by the name of its `Place`) that its state holds. */
  mark(dictionary: string, live: Uint8Array): void
  bytes(): number
  /** Where rows in time may be gathered on another thread (`pane-gathering.ts`); missing or null where they may not. */
  readonly gathering?: Gathering | null
}

export interface OperatorContext<Node extends PlanNode = PlanNode> {
  readonly plan: Plan
  readonly node: Node
  readonly inputs: readonly InputShape[]
  /** Partitions of all topics of the Plan, one after another: what evidence is kept by. */
  readonly lanes: number
  /** 0 in bounded runs: nothing is late there. */
  readonly latenessMs: number
  readonly out: RowSink
  /** Takes a decoder's row that came too late. */
  readonly tooLate: (batch: Batch, row: number, watermarkMs: number) => void
  /** Take the dictionaries the operator makes, for sweeps and snapshots; their names are nobody else's. */
  readonly numbers: NumberDictionary[]
  readonly texts: TextDictionary[]
}
export interface NumberDictionary {
  readonly name: string
  readonly dictionary: Dictionary<number>
}
export interface TextDictionary {
  readonly name: string
  readonly dictionary: Dictionary<string>
}

/** What the rows of an input look like. */
export interface InputShape {
  readonly columns: readonly Column[]
  readonly placeOf: (name: string) => Place
  readonly changelog: Changelog
  /** Rows come with weights and may be replaced; else each comes once and stays. */
  readonly updates: boolean
  /** Rows of a decoder (or their steps): one record behind each, each with the watermark of its own partition. */
  readonly fromRecords: boolean
  /** Several rows may be of one record: elements of a list. A record is refused whole. */
  readonly several: boolean
  readonly reachMs: number
}
/** Where a column lies in a batch, and the name its dictionary is swept by. */
export interface Place {
  readonly slot: number
  readonly dictionary: { readonly name: string; readonly of: Dictionary<string> } | null
  /** Of a list: where what is wanted of its elements lies among them, by its path ('' for the element itself). */
  readonly elements?: ReadonlyMap<string, Place>
}

/** Takes an operator's rows, in the order of its node's columns. */
export interface RowSink {
  /** Least and greatest offset per lane (Infinity and -1 for none), for rows that follow. */
  addEvidence(offsets: Float64Array, from: number): number
  /** One record only. */
  addRecord(lane: number, offset: number): number
  /** Opens a row of this event time; every column must then be set once. */
  addRow(timing: TimingIndex, evidence: number, timeMs: number): void
  /** Opens a row that takes back the one under its key; only columns of the key are then set, the others are null. */
  addRetraction(timing: TimingIndex, evidence: number, timeMs: number): void
  /** NaN is null; the value is `value + high * 2^52`. */
  setNumber(column: number, value: number, high: number): void
  /** -1 is null. The dictionary is the same one for every row of the column. */
  setId(column: number, id: number, dictionary: Dictionary<string>): void
}
