// Runs one Plan: a graph of chains of stateless steps and of operators, from the topics' decoded batches to result rows.
// Rows go on at once, depth first; time goes through the operators in the order of the Plan, each at the least watermark
// of its inputs, so what an operator gives out at a watermark is there before what follows hears of that watermark.
import type { Expression, Plan, PlanNode } from '../query/plan.ts'
import { assert, unreachable } from '../std/assert.ts'
import { BatchBuilder } from './batch-builder.ts'
import type { Batch } from './columns.ts'
import type { Projection, RefusalReason } from './decoder.ts'
import type { Deduplication } from './deduplicate.ts'
import { type Dictionary, numberOf, textOf } from './dictionary.ts'
import type { Tick } from './engine.ts'
import { isStep, type Lowered, type SourceNode } from './lower.ts'
import type { InputShape, NumberDictionary, Operator, Place, RowSink, TextDictionary } from './operator.ts'
import { lowerOperator } from './operators.ts'
import { rowsToResults } from './result-sink.ts'
import { isTextKind, type Lane, ResultBuilder } from './results.ts'
import { SnapshotError, type StateReader, type StateWriter } from './state-bytes.ts'
import { type RowFates, StepChain } from './step-chain.ts'
import type { Gathering } from './window-operator.ts'
import { computedIn } from './window-shape.ts'

export interface RunnerSettings {
  /** Partitions of each topic. */
  readonly partitions: ReadonlyMap<string, number>
  readonly bounded: boolean
  /** What each topic's decoder gives: column i of a batch. */
  readonly projections: ReadonlyMap<string, readonly Projection[]>
  /** By topic and column. */
  readonly dictionaries: ReadonlyMap<string, { readonly [column: string]: Dictionary<string> }>
}
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

/** Takes rows of one batch, which stay their maker's. */
type Taker = (batch: Batch, rows: Int32Array, count: number) => void
/** What rows come from: a topic or an operator. */
interface Stage {
  /** No row that it gives out from now on is older, but for what may still be late. */
  watermarkMs: number
}
interface SourceStage extends Stage {
  readonly topic: string
  readonly firstLane: number
  readonly chain: StepChain
  readonly takers: Taker[]
}
interface OperatorStage extends Stage {
  readonly id: string
  readonly operator: Operator
  /** Null: it writes the results itself. */
  readonly out: BatchBuilder | null
  readonly inputs: readonly Stage[]
  readonly takers: Taker[]
}
/** Where the rows of a node come from, and what they look like there. */
interface Origin {
  readonly stage: Stage
  readonly takers: Taker[]
  /** Steps may be added to it while it has one consumer. */
  readonly chain: StepChain | null
  readonly shape: InputShape
  /** Columns of its batches. */
  readonly slots: number
}

export class PlanRunner {
  readonly plan: Plan
  readonly topics: readonly string[]
  readonly results: ResultBuilder
  readonly #lowered: Lowered
  readonly #settings: RunnerSettings
  readonly #lanes: Lane[] = []
  readonly #sources: SourceStage[] = []
  readonly #operators: OperatorStage[] = []
  readonly #chains: { readonly chain: StepChain; readonly stage: Stage }[] = []
  readonly #numbers: NumberDictionary[] = []
  readonly #texts: TextDictionary[] = []
  #fates: Fates | null = null
  /** Records of the batch at hand that were told to be too late. */
  readonly #late = new Set<number>()
  readonly #rowFates: RowFates
  #raised = new Float64Array(0)
  #emittedAtMs = Number.NEGATIVE_INFINITY

  constructor(lowered: Lowered, settings: RunnerSettings) {
    this.plan = lowered.plan
    this.topics = lowered.topics
    this.#lowered = lowered
    this.#settings = settings
    for (const topic of lowered.topics) {
      const partitions = settings.partitions.get(topic) ?? 0
      for (let partition = 0; partition < partitions; partition++) this.#lanes.push({ topic, partition })
    }
    this.results = new ResultBuilder(this.plan, this.#lanes)
    this.#rowFates = {
      refuse: (view, row, reason, field, message) => this.#refuse(view, row, reason, field, message),
      duplicate: (view, row) => {
        if (!view.derived) this.#fates?.duplicate(view.records[row]!)
      },
    }
    const origins = new Map<string, Origin>()
    for (const node of this.plan.nodes) {
      if (!origins.has(node.id)) this.#add(node, origins)
    }
    const { result } = lowered
    const last = origins.get(result.id)!
    if (isStep(result) || result.kind === 'source')
      last.takers.push(rowsToResults(result, last.shape.placeOf, this.results))
  }

  // --- building: nodes in the order of the Plan, so the inputs of each are there ---

  #add(node: PlanNode, origins: Map<string, Origin>): void {
    if (node.kind === 'source') {
      origins.set(node.id, this.#addSource(node))
      return
    }
    if (isStep(node)) {
      const before = origins.get(node.inputs[0]!)!
      const chain = this.#chainFrom(node.inputs[0]!, before)
      chain.chain.add(node)
      origins.set(node.id, { ...before, ...chain, shape: chain.chain.shape, slots: chain.chain.slots })
      return
    }
    const inputs = node.inputs.map((id) => this.#checked(node, id, origins.get(id)!))
    const top = inputs[0]?.shape.updates ? null : (this.#lowered.tops.get(node.id) ?? null)
    const given = top ?? node
    const out = given === this.#lowered.result ? null : new BatchBuilder(given.columns, this.#lanes.length)
    const sink: RowSink = out ?? this.results
    const { operator, texts, updates, reachMs } = lowerOperator(
      {
        plan: this.plan,
        node,
        inputs: inputs.map(({ shape }) => shape),
        lanes: this.#lanes.length,
        latenessMs: this.#settings.bounded ? 0 : this.plan.latenessMs,
        out: sink,
        tooLate: (batch, row, watermarkMs) => this.#tooLate(batch, row, watermarkMs),
        numbers: this.#numbers,
        texts: this.#texts,
      },
      top,
    )
    out?.bind(texts)
    const stage: OperatorStage = {
      id: node.id,
      operator,
      out,
      inputs: inputs.map((input) => input.stage),
      takers: [],
      watermarkMs: Number.NEGATIVE_INFINITY,
    }
    this.#operators.push(stage)
    inputs.forEach(({ takers }, input) => {
      takers.push((batch, rows, count) => {
        operator.push(input, batch, rows, count)
        flush(stage)
      })
    })
    const slots = new Map(given.columns.map(({ name }, slot) => [name, slot]))
    const placeOf = (name: string): Place => {
      const slot = slots.get(name)
      assert(slot !== undefined, `operator ${given.id} puts out column '${name}'`)
      return { slot, dictionary: texts[slot] ?? null }
    }
    const shape: InputShape = {
      columns: given.columns,
      placeOf,
      changelog: given.changelog,
      updates,
      fromRecords: false,
      reachMs,
    }
    origins.set(given.id, { stage, takers: stage.takers, chain: null, shape, slots: given.columns.length })
  }
  #addSource(node: SourceNode): Origin {
    const { topic } = node
    const projections = this.#settings.projections.get(topic) ?? []
    const dictionaries = this.#settings.dictionaries.get(topic) ?? {}
    const places = new Map<string, Place>()
    projections.forEach(({ name, as }, slot) => {
      const dictionary = dictionaries[name]
      const known = as === 'id' && dictionary !== undefined
      places.set(name, { slot, dictionary: known ? { name: `${topic}.${name}`, of: dictionary } : null })
    })
    const shape: InputShape = {
      columns: node.columns,
      placeOf: (name) => places.get(name) ?? { slot: -1, dictionary: null },
      changelog: node.changelog,
      updates: false,
      fromRecords: true,
      reachMs: this.#settings.bounded ? 0 : this.plan.latenessMs,
    }
    const chain = new StepChain(this.plan, shape, projections.length, this.#lanes.length, this.#texts)
    const stage: SourceStage = {
      topic,
      firstLane: this.#lanes.findIndex((lane) => lane.topic === topic),
      chain,
      takers: [],
      watermarkMs: Number.NEGATIVE_INFINITY,
    }
    this.#sources.push(stage)
    this.#chains.push({ chain, stage })
    return { stage, takers: stage.takers, chain, shape: chain.shape, slots: projections.length }
  }
  /** The chain that a step or check after this node goes to: the node's own if nobody else takes its rows. */
  #chainFrom(id: string, origin: Origin): { chain: StepChain; takers: Taker[] } {
    if (origin.chain !== null && this.#lowered.consumers.get(id)?.length === 1)
      return { chain: origin.chain, takers: origin.takers }
    const chain = new StepChain(this.plan, origin.shape, origin.slots, this.#lanes.length, this.#texts)
    const takers: Taker[] = []
    origin.takers.push((batch, rows, count) => {
      const view = chain.push(batch, rows, count, this.#rowFates)
      for (const take of takers) take(view, chain.selection.rows, chain.selection.count)
    })
    this.#chains.push({ chain, stage: origin.stage })
    return { chain, takers }
  }
  /** An input of an operator; what aggregates compute from its rows is checked before they are taken in. */
  #checked(node: PlanNode, id: string, origin: Origin): Origin {
    const computed: { name: string; value: Expression }[] = []
    if ('aggregates' in node)
      for (const { name, aggregate } of node.aggregates)
        for (const value of computedIn(aggregate, origin.shape.fromRecords)) computed.push({ name, value })
    if (node.kind === 'decayed-sum' && node.value.op !== 'literal')
      computed.push({ name: node.columns[node.columns.length - 1]?.name ?? node.kind, value: node.value })
    // What a result is grouped by may be a sum that has left the exact numbers.
    if (!origin.shape.fromRecords && 'groups' in node)
      for (const { name, type } of origin.shape.columns)
        if (node.groups.includes(name) && !isTextKind(type.kind))
          computed.push({ name, value: { op: 'column', name, type } })
    if (computed.length === 0) return origin
    const { chain, takers } = this.#chainFrom(id, origin)
    chain.check(computed)
    return { ...origin, chain, takers, shape: chain.shape, slots: chain.slots }
  }

  // --- running ---

  /** All rows of the batch, or the listed ones. */
  push(topic: string, batch: Batch, fates: Fates, rows: Int32Array | null = null, count = batch.rows): void {
    this.#fates = fates
    if (this.#late.size > 0) this.#late.clear()
    for (const source of this.#sources) {
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
   * Its rows in time may be gathered on another thread: it reads one topic, and between that and its first operator nothing
   * remembers. Null where they may not.
   */
  get gathering(): Gathering | null {
    const [source, operator] = [this.#sources[0], this.#operators[0]]
    if (source === undefined || operator === undefined || this.#sources.length > 1) return null
    const chains = this.#chains.filter(({ stage }) => stage === source)
    const alone = source.takers.length === 1 && operator.inputs.length === 1 && operator.inputs[0] === source
    if (chains.length > 1 || !alone || source.chain.kept.length > 0) return null
    return operator.operator.gathering ?? null
  }
  /** Of the first operator's dictionaries and those of others: their order is that of the Plan. */
  get ownNumbers(): readonly NumberDictionary[] {
    return this.#numbers
  }
  get ownTexts(): readonly TextDictionary[] {
    return this.#texts
  }
  /** A topic that was idle while the Plan's time went on: its records meet the Plan's watermark, if theirs is behind it. */
  #raise(view: Batch, watermarkMs: number): void {
    if (this.#raised.length < view.rows) this.#raised = new Float64Array(view.rows)
    for (let row = 0; row < view.rows; row++) this.#raised[row] = Math.max(view.watermarks[row]!, watermarkMs)
    view.watermarks = this.#raised
  }
  /** The watermark that records of the topic meet at least. */
  floorMs(topic: string): number {
    return this.#sources.find((source) => source.topic === topic)?.watermarkMs ?? Number.NEGATIVE_INFINITY
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
    const lane = this.#lanes.findIndex((_, i) => derived.offsets[from + i * 2 + 1]! >= 0)
    const { topic, partition } = this.#lanes[Math.max(0, lane)]!
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
    for (const source of this.#sources) {
      const { globalMs, allIdle } = timeOf(source.topic)
      const follows = allIdle && leastMs !== Number.POSITIVE_INFINITY
      const reachedMs = follows ? Math.max(globalMs, leastMs) : globalMs
      if (reachedMs > source.watermarkMs) source.watermarkMs = reachedMs
    }
    for (const stage of this.#operators) {
      let watermarkMs = Number.POSITIVE_INFINITY
      for (const input of stage.inputs) if (input.watermarkMs < watermarkMs) watermarkMs = input.watermarkMs
      const reachedMs = stage.operator.advance(watermarkMs)
      flush(stage)
      if (reachedMs > stage.watermarkMs) stage.watermarkMs = reachedMs
    }
    for (const { chain, stage } of this.#chains) for (const { state } of chain.kept) state.advance(stage.watermarkMs)
    this.#fates = null
  }
  tick(tick: Tick, fates: Fates): void {
    this.#fates = fates
    const running = this.#emitsAt(tick)
    for (const stage of this.#operators) {
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
    return this.#chains.flatMap(({ chain }) => chain.deduplications)
  }
  #stateful(): { readonly id: string; readonly state: Pick<Operator, 'write' | 'restore' | 'mark' | 'bytes'> }[] {
    return [
      ...this.#operators.map(({ id, operator }) => ({ id, state: operator })),
      ...this.#chains.flatMap(({ chain }) => chain.kept),
    ]
  }
  write(out: StateWriter): void {
    out.f64(this.#emittedAtMs)
    out.numbers(this.#sources.map(({ watermarkMs }) => watermarkMs))
    out.numbers(this.#operators.map(({ watermarkMs }) => watermarkMs))
    for (const { dictionary } of this.#numbers) dictionary.write(out)
    for (const { dictionary } of this.#texts) dictionary.write(out)
    for (const { id, state } of this.#stateful()) {
      out.text(id)
      state.write(out)
    }
  }
  restore(from: StateReader): void {
    this.#emittedAtMs = from.f64()
    const [sources, operators] = [from.numbers(), from.numbers()]
    this.#sources.forEach((source, i) => {
      source.watermarkMs = sources[i]!
    })
    this.#operators.forEach((stage, i) => {
      stage.watermarkMs = operators[i]!
    })
    for (const { dictionary } of this.#numbers) dictionary.restore(from, numberOf)
    for (const { dictionary } of this.#texts) dictionary.restore(from, textOf)
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
    for (const { name, dictionary } of [...this.#numbers, ...this.#texts]) {
      if (dictionary.count < dictionary.sweepAt) continue
      const live = new Uint8Array(dictionary.high)
      this.mark(name, live)
      dictionary.sweep(live)
    }
  }
  bytes(): number {
    let bytes = 0
    for (const { dictionary } of [...this.#numbers, ...this.#texts]) bytes += dictionary.bytes
    for (const { state } of this.#stateful()) bytes += state.bytes()
    return bytes
  }
}

/** What an operator gave out goes to what follows it. */
function flush({ out, takers, watermarkMs }: OperatorStage): void {
  if (out === null || out.count === 0) return
  const batch = out.take(watermarkMs)
  const { all, count } = out
  for (const take of takers) take(batch, all, count)
  out.clear()
}
