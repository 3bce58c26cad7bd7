// A job with reactions: what its Plans made due goes through them in the order it became due, and what they emit belongs
// to the same output. Their state is part of the job's.
//
// State: the engine's with, in front of its loose part: u32 byte length, JSON {name: {version, state}}. Changing this
// needs a new FORMAT_VERSION in state-bytes.ts.
import type { Reaction, ReactionInput } from '../query/reaction.ts'
import type {
  DeadLetter,
  Emitted,
  Job,
  JobOutput,
  LateRecord,
  ResultBatch,
  SourceBatch,
  Tick,
  WatermarkRaise,
} from './engine.ts'
import { rowObject } from './result-rows.ts'
import { LATE, ON_TIME } from './results.ts'
import { flatten, SnapshotError, type StateParts, unflatten } from './state-bytes.ts'

const encoder = new TextEncoder()
const decoder = new TextDecoder()

interface Running {
  readonly reaction: Reaction
  state: unknown
}

export interface ReactingJob extends Job {
  /** Of each reaction, by its name; it is the reaction's own. */
  states(): ReactionStates
}
export interface ReactionStates {
  readonly [name: string]: { readonly version: number; readonly state: unknown }
}

/** Rows are handed on after each `push` and `tick`, so how the input was cut into takes changes nothing. */
export function reactingJob(inner: Job, reactions: readonly Reaction[]): ReactingJob {
  const running: Running[] = reactions.map((reaction) => ({ reaction, state: reaction.initial() }))
  let results: ResultBatch[] = []
  let deadLetters: DeadLetter[] = []
  let lateRecords: LateRecord[] = []
  let raises: WatermarkRaise[] = []
  let emitted: Emitted[] = []
  const emit = (topic: string, key: string, value: Readonly<Record<string, unknown>> | null): void => {
    emitted.push({ topic, key, value: value === null ? null : JSON.stringify(value) })
  }
  const drain = (): void => {
    const output = inner.take()
    if (output.deadLetters.length > 0) {
      deadLetters.push(...output.deadLetters)
      for (const { reaction, state } of running)
        if (reaction.deadLetter !== undefined)
          for (const letter of output.deadLetters) reaction.deadLetter(state, letter, emit)
    }
    if (output.lateRecords.length > 0) lateRecords.push(...output.lateRecords)
    if (output.raises.length > 0) raises.push(...output.raises)
    if (output.results.length === 0) return
    results.push(...output.results)
    for (const { reaction, state } of running)
      for (const plan of reaction.reads)
        for (const batch of output.results)
          if (batch.plan.name === plan)
            for (let row = 0; row < batch.count; row++) reaction.step(state, inputOf(batch, row), emit)
  }
  return {
    ...forwarded(inner),
    push(batch: SourceBatch) {
      inner.push(batch)
      drain()
    },
    absorb(shard, piece, rawOf) {
      inner.absorb(shard, piece, rawOf)
      drain()
    },
    tick(tick: Tick) {
      inner.tick(tick)
      drain()
      for (const { reaction, state } of running) reaction.step(state, { kind: 'tick', atMs: tick.atMs }, emit)
    },
    finish() {
      inner.finish()
      drain()
    },
    take(): JobOutput {
      const output = { results, deadLetters, lateRecords, raises, emitted }
      results = []
      deadLetters = []
      lateRecords = []
      raises = []
      emitted = []
      return output
    },
    snapshot: () => flatten(cut()),
    cut,
    states,
    restore(state) {
      const { loose, arrays } = state instanceof Uint8Array ? unflatten(state) : state
      const end = loose.length < 4 ? 0 : 4 + new DataView(loose.buffer, loose.byteOffset).getUint32(0, true)
      if (end === 0 || end > loose.length) throw new SnapshotError('the snapshot is not of a job with reactions')
      const kept = parse(loose.subarray(4, end))
      for (const one of running) {
        const found = kept[one.reaction.name]
        if (found?.version !== one.reaction.version)
          throw new SnapshotError(
            `the snapshot has no state of reaction '${one.reaction.name}'. Replay the log instead`,
          )
        one.state = found.state
      }
      inner.restore({ loose: loose.subarray(end), arrays })
    },
  }

  function states(): ReactionStates {
    return Object.fromEntries(
      running.map(({ reaction, state }) => [reaction.name, { version: reaction.version, state }]),
    )
  }
  function cut(): StateParts {
    return withReactions(inner.cut(), states())
  }
}

/** The state of a job with reactions: the engine's and theirs. */
export function withReactions({ loose, arrays }: StateParts, states: ReactionStates): StateParts {
  const json = encoder.encode(JSON.stringify(states))
  const both = new Uint8Array(4 + json.length + loose.length)
  new DataView(both.buffer).setUint32(0, json.length, true)
  both.set(json, 4)
  both.set(loose, 4 + json.length)
  return { loose: both, arrays }
}

type Forwarded =
  | 'topics'
  | 'watermarkMs'
  | 'partitions'
  | 'ledger'
  | 'horizons'
  | 'operators'
  | 'stateBytes'
  | 'memoryOf'
  | 'release'
  | 'isIdle'
  | 'wakingAt'
/** What reactions change nothing of. */
function forwarded(inner: Job): Pick<Job, Forwarded> {
  return {
    topics: inner.topics,
    watermarkMs: (planOrTopic) => inner.watermarkMs(planOrTopic),
    partitions: (topic) => inner.partitions(topic),
    ledger: () => inner.ledger(),
    horizons: () => inner.horizons(),
    operators: () => inner.operators(),
    stateBytes: () => inner.stateBytes(),
    release: (output) => inner.release(output),
    memoryOf: (topic) => inner.memoryOf(topic),
    isIdle: (topic, partition) => inner.isIdle(topic, partition),
    wakingAt: (topic, partition) => inner.wakingAt(topic, partition),
  }
}

function inputOf(batch: ResultBatch, row: number): ReactionInput {
  const timing = batch.timing[row]
  return {
    kind: 'row',
    plan: batch.plan.name,
    values: rowObject(batch, row),
    timing: timing === LATE ? 'late' : timing === ON_TIME ? 'on-time' : 'early',
    final: batch.final[row] === 1,
    weight: batch.weight[row] === 1 ? 1 : -1,
    evidence: batch.evidence(row),
  }
}

function parse(json: Uint8Array): ReactionStates {
  try {
    return JSON.parse(decoder.decode(json))
  } catch (error) {
    if (error instanceof SyntaxError) throw new SnapshotError('the snapshot is damaged: its reactions are no JSON')
    throw error
  }
}
