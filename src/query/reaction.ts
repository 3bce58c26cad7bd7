// A Reaction: what a Plan cannot say. A pure state machine over result rows and recorded ticks: state and input in, state
// and outputs out. It has no clock but the time of its rows and ticks, so a replay gives the same outputs.

export type ReactionValue = number | bigint | string | boolean | null

/** A result row of a Plan that the reaction reads. */
export interface ReactionRow {
  readonly kind: 'row'
  /** Name of the Plan. */
  readonly plan: string
  /** By column: minor units, milliseconds, text. */
  readonly values: { readonly [column: string]: ReactionValue }
  readonly timing: 'early' | 'on-time' | 'late'
  /** The watermark has passed the row's window: only a correction can replace it. */
  readonly final: boolean
  /** -1 takes back what stood under the row's key. */
  readonly weight: 1 | -1
  /** Offsets of the records behind the row lie within these. */
  readonly evidence: readonly Evidence[]
}
export interface Evidence {
  readonly partition: number
  readonly offsetMin: number
  readonly offsetMax: number
}
/** A decision of the job's clock, recorded in the log. */
export interface ReactionTick {
  readonly kind: 'tick'
  readonly atMs: number
}
export type ReactionInput = ReactionRow | ReactionTick

/** A record that was refused: what broke which promise of its topic. */
export interface ReactionLetter {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly reason: string
  /** Dotted path of the field at fault, or '' for the whole record. */
  readonly field: string
}

/** One record for a topic of the reaction; `value` becomes JSON. A null value takes the key back. */
export type Emit = (topic: string, key: string, value: Readonly<Record<string, unknown>> | null) => void

export interface Reaction<State = unknown> {
  readonly name: string
  /** Changes when its state or meaning does: a state of another version is not read, the log is replayed instead. */
  readonly version: number
  /** Names of the Plans whose rows it takes. Of one window, rows of Plans named earlier come first. */
  readonly reads: readonly string[]
  /** The topics it writes. */
  readonly writes: readonly { readonly topic: string; readonly partitions: number; readonly compacted: boolean }[]
  /** Plain data that survives JSON. */
  initial(): State
  /** Changes the state and emits. Bounded work; never throws for anything in a row. */
  step(state: State, input: ReactionInput, emit: Emit): void
  /** Takes the dead letters of the job too, before the rows that became due with them. */
  deadLetter?(state: State, letter: ReactionLetter, emit: Emit): void
}
