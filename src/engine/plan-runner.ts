// Runs one Plan: a graph of chains of stateless steps and of operators, from the topics' decoded batches to result rows.
// Rows go on at once, depth first; time goes through the operators in the order of the Plan, each at the least watermark
// of its inputs, so what an operator gives out at a watermark is there before what follows hears of that watermark.
import type { Plan } from '../query/plan.ts'
import { assert, unreachable } from '../std/assert.ts'
import type { Batch } from './columns.ts'
import type { RefusalReason } from './decoder.ts'
import type { Deduplication } from './deduplicate.ts'
import { numberOf, textOf } from './dictionary.ts'
import type { OperatorLine, Tick } from './engine.ts'
import type { Lowered } from './lower.ts'
import type { NumberDictionary, Operator, TextDictionary } from './operator.ts'
import { flush, type GraphFates, PlanGraph, type RunnerSettings } from './plan-graph.ts'
import type { Lane, ResultBuilder } from './results.ts'
import { SnapshotError, type StateReader, type StateWriter } from './state-bytes.ts'
import type { Gathering } from './window-operator.ts'

/** What becomes of records and rows that go no further. */
export interface Fates {
  /** A record that a step refuses: a dead letter. */
  refuse(record: number, reason: RefusalReason, field: string, message: string): void
  duplicate(record: number): void
  /** A record that a window or join takes no more. Told once for each record. */
  tooLate(record: number, timeMs: number, watermarkMs: number): void
  /** A row of an operator that the next step cannot take: there is no one record to show, only where those lay. */
  refuseRow(behind: RowOrigin, reason: RefusalReason, field: string, message: string): void
}
export interface RowOrigin extends Lane {
  readonly offset: number
  readonly timeMs: number
}
/** Time of a topic. */
export interface TopicTime {
  readonly globalMs: number
  readonly allIdle: boolean
}

/** A tick that comes a little early (timers jitter) still counts for its interval. */
const INTERVAL_SLACK = 0.1

export class PlanRunner {
  readonly plan: Plan
  readonly topics: readonly string[]
  readonly results: ResultBuilder
  readonly #monoMs: () => number
  readonly #tops: Lowered['tops']
  readonly #graph: PlanGraph
  #fates: Fates | null = null
  /** Records of the batch at hand that were told to be too late. */
  readonly #late = new Set<number>()
  readonly #rowFates: GraphFates
  #raised = new Float64Array(0)
  #emittedAtMs = Number.NEGATIVE_INFINITY

  constructor(lowered: Lowered, settings: RunnerSettings) {
    this.#monoMs = settings.monoMs
    this.#tops = lowered.tops
    this.plan = lowered.plan
    this.topics = lowered.topics
    this.#rowFates = {
      refuse: (view, row, reason, field, message) => this.#refuse(view, row, reason, field, message),
      duplicate: (view, row) => {
        if (!view.derived) this.#fates?.duplicate(view.records[row]!)
      },
      tooLate: (batch, row, watermarkMs) => this.#tooLate(batch, row, watermarkMs),
    }
    this.#graph = new PlanGraph(lowered, settings, this.#rowFates)
    this.results = this.#graph.results
  }

  /** All rows of the batch, or the listed ones. */
  push(topic: string, batch: Batch, fates: Fates, rows: Int32Array | null = null, count = batch.rows): void {
    this.#fates = fates
    if (this.#late.size > 0) this.#late.clear()
    for (const source of this.#graph.sources) {
      if (source.topic !== topic) continue
      const { chain, takers } = source
      const view = chain.push(batch, rows, count, this.#rowFates)
      view.partition = source.firstLane + batch.partition
      if (batch.rows > 0 && source.watermarkMs > batch.watermarks[0]!) this.#raise(view, source.watermarkMs)
      for (const take of takers) take(view, chain.selection.rows, chain.selection.count)
    }
    this.#fates = null
  }
  /**
   * What its state is laid out by: the topics, the sub-plan of everything that remembers (by the hash of each), how long
   * late records are waited for, and whether running rows are told. Two Plans in which it is equal can take over state.
   */
  get stateShape(): string {
    const { plan, topics } = this
    const tops = [...this.#tops].map(([window, top]) => [window, top.id])
    const stateful = this.#stateful().map(({ id }) => id)
    return JSON.stringify([topics, stateful, tops, plan.latenessMs, plan.emit.mode !== 'on-close'])
  }
  /** Figures of its operators, in the order of the Plan. */
  operators(): readonly OperatorLine[] {
    return this.#graph.operators.map(({ id, operator, rowsIn, busyMs, watermarkMs }) => ({
      plan: this.plan.name,
      operator: id,
      kind: this.plan.nodes.find((node) => node.id === id)?.kind ?? 'operator',
      rowsIn,
      busyMs,
      stateBytes: operator.bytes(),
      watermarkMs,
    }))
  }
  /**
   * Its rows in time may be gathered on another thread: it reads one topic, and between that and its first operator nothing
   * remembers. Null where they may not.
   */
  get gathering(): Gathering | null {
    const [source, operator] = [this.#graph.sources[0], this.#graph.operators[0]]
    if (source === undefined || operator === undefined || this.#graph.sources.length > 1) return null
    const chains = this.#graph.chains.filter(({ stage }) => stage === source)
    const alone = source.takers.length === 1 && operator.inputs.length === 1 && operator.inputs[0] === source
    if (chains.length > 1 || !alone || source.chain.kept.length > 0) return null
    return operator.operator.gathering ?? null
  }
  /** Of the first operator's dictionaries and those of others: their order is that of the Plan. */
  get ownNumbers(): readonly NumberDictionary[] {
    return this.#graph.numbers
  }
  get ownTexts(): readonly TextDictionary[] {
    return this.#graph.texts
  }
  /** A topic that was idle while the Plan's time went on: its records meet the Plan's watermark, if theirs is behind it. */
  #raise(view: Batch, watermarkMs: number): void {
    if (this.#raised.length < view.rows) this.#raised = new Float64Array(view.rows)
    for (let row = 0; row < view.rows; row++) this.#raised[row] = Math.max(view.watermarks[row]!, watermarkMs)
    view.watermarks = this.#raised
  }
  /** The watermark that records of the topic meet at least. */
  floorMs(topic: string): number {
    return this.#graph.sources.find((source) => source.topic === topic)?.watermarkMs ?? Number.NEGATIVE_INFINITY
  }
  #tooLate(batch: Batch, row: number, watermarkMs: number): void {
    assert(!batch.derived, 'what an operator gives out is late for none')
    const record = batch.records[row]!
    if (this.#late.has(record)) return
    this.#late.add(record)
    this.#fates?.tooLate(record, batch.times[row]!, watermarkMs)
  }
  #refuse(view: Batch, row: number, reason: RefusalReason, field: string, message: string): void {
    const { derived } = view
    if (!derived) {
      this.#fates?.refuse(view.records[row]!, reason, field, message)
      return
    }
    const from = derived.evidence[row]!
    const lane = this.#graph.lanes.findIndex((_, i) => derived.offsets[from + i * 2 + 1]! >= 0)
    const { topic, partition } = this.#graph.lanes[Math.max(0, lane)]!
    const offset = lane < 0 ? 0 : derived.offsets[from + lane * 2]!
    this.#fates?.refuseRow({ topic, partition, offset, timeMs: view.times[row]! }, reason, field, message)
  }

  /** The Plan's watermark is the least over topics that are not idle as a whole; those that are follow it. */
  advance(timeOf: (topic: string) => TopicTime, fates: Fates): void {
    this.#fates = fates
    let leastMs = Number.POSITIVE_INFINITY
    for (const topic of this.topics) {
      const { globalMs, allIdle } = timeOf(topic)
      if (!allIdle) leastMs = Math.min(leastMs, globalMs)
    }
    for (const source of this.#graph.sources) {
      const { globalMs, allIdle } = timeOf(source.topic)
      const follows = allIdle && leastMs !== Number.POSITIVE_INFINITY
      const reachedMs = follows ? Math.max(globalMs, leastMs) : globalMs
      if (reachedMs > source.watermarkMs) source.watermarkMs = reachedMs
    }
    for (const stage of this.#graph.operators) {
      let watermarkMs = Number.POSITIVE_INFINITY
      for (const input of stage.inputs) if (input.watermarkMs < watermarkMs) watermarkMs = input.watermarkMs
      const startedMs = this.#monoMs()
      const reachedMs = stage.operator.advance(watermarkMs)
      stage.busyMs += this.#monoMs() - startedMs
      flush(stage)
      if (reachedMs > stage.watermarkMs) stage.watermarkMs = reachedMs
    }
    for (const { chain, stage } of this.#graph.chains)
      for (const { state } of chain.kept) state.advance(stage.watermarkMs)
    this.#fates = null
  }
  tick(tick: Tick, fates: Fates): void {
    this.#fates = fates
    const running = this.#emitsAt(tick)
    for (const stage of this.#graph.operators) {
      stage.operator.tick(running)
      flush(stage)
    }
    this.#fates = null
  }
  #emitsAt(tick: Tick): boolean {
    const { emit } = this.plan
    switch (emit.mode) {
      case 'on-close':
        return false
      case 'on-change':
        return true
      case 'interval':
        if (!tick.interval || tick.atMs - this.#emittedAtMs < emit.everyMs * (1 - INTERVAL_SLACK)) return false
        this.#emittedAtMs = tick.atMs
        return true
      default:
        return unreachable(emit)
    }
  }

  // --- state: a section for each operator and each step that remembers, by the id of its node ---

  get deduplications(): readonly Deduplication[] {
    return this.#graph.chains.flatMap(({ chain }) => chain.deduplications)
  }
  #stateful(): { readonly id: string; readonly state: Pick<Operator, 'write' | 'restore' | 'mark' | 'bytes'> }[] {
    return [
      ...this.#graph.operators.map(({ id, operator }) => ({ id, state: operator })),
      ...this.#graph.chains.flatMap(({ chain }) => chain.kept),
    ]
  }
  write(out: StateWriter): void {
    out.f64(this.#emittedAtMs)
    out.numbers(this.#graph.sources.map(({ watermarkMs }) => watermarkMs))
    out.numbers(this.#graph.operators.map(({ watermarkMs }) => watermarkMs))
    for (const { dictionary } of this.#graph.numbers) dictionary.write(out)
    for (const { dictionary } of this.#graph.texts) dictionary.write(out)
    for (const { id, state } of this.#stateful()) {
      out.text(id)
      state.write(out)
    }
  }
  restore(from: StateReader): void {
    this.#emittedAtMs = from.f64()
    const [sources, operators] = [from.numbers(), from.numbers()]
    this.#graph.sources.forEach((source, i) => {
      source.watermarkMs = sources[i]!
    })
    this.#graph.operators.forEach((stage, i) => {
      stage.watermarkMs = operators[i]!
    })
    for (const { dictionary } of this.#graph.numbers) dictionary.restore(from, numberOf)
    for (const { dictionary } of this.#graph.texts) dictionary.restore(from, textOf)
    for (const { id, state } of this.#stateful()) {
      const found = from.text()
      if (found !== id) throw new SnapshotError(`the snapshot has state of operator ${found} where ${id} is`)
      state.restore(from)
    }
  }
  /** Marks the ids of a dictionary (by the name of its places) that are still in use. */
  mark(dictionary: string, live: Uint8Array): void {
    for (const { state } of this.#stateful()) state.mark(dictionary, live)
  }
  sweepOwn(): void {
    for (const { name, dictionary } of [...this.#graph.numbers, ...this.#graph.texts]) {
      if (dictionary.count < dictionary.sweepAt) continue
      const live = new Uint8Array(dictionary.high)
      this.mark(name, live)
      dictionary.sweep(live)
    }
  }
  bytes(): number {
    let bytes = 0
    for (const { dictionary } of [...this.#graph.numbers, ...this.#graph.texts]) bytes += dictionary.bytes
    for (const { state } of this.#stateful()) bytes += state.bytes()
    return bytes
  }
}
