// The graph of one Plan: chains of stateless steps, operators and views, wired so that what one puts out the next takes.
// Built once; `plan-runner.ts` drives it.
import type { Expression, Plan, PlanNode } from '../query/plan.ts'
import { assert } from '../std/assert.ts'
import { BatchBuilder } from './batch-builder.ts'
import type { Batch } from './columns.ts'
import { elementName, type Projection } from './decoder.ts'
import type { Dictionary } from './dictionary.ts'
import { isStep, isView, type Lowered, type SourceNode } from './lower.ts'
import type { InputShape, NumberDictionary, Operator, Place, RowSink, TextDictionary } from './operator.ts'
import { lowerOperator, lowerView } from './operators.ts'
import { rowsToResults } from './result-sink.ts'
import { isTextKind, type Lane, ResultBuilder } from './results.ts'
import type { Taker } from './row-views.ts'
import { type RowFates, StepChain } from './step-chain.ts'
import { computedIn } from './window-shape.ts'

export interface RunnerSettings {
  /** Partitions of each topic. */
  readonly partitions: ReadonlyMap<string, number>
  readonly bounded: boolean
  /** For figures only: a monotonic clock, or one that stands still. */
  readonly monoMs: () => number
  /** What each topic's decoder gives: column i of a batch. */
  readonly projections: ReadonlyMap<string, readonly Projection[]>
  /** By topic and column. */
  readonly dictionaries: ReadonlyMap<string, { readonly [column: string]: Dictionary<string> }>
}
/** What rows come from: a topic or an operator. */
export interface Stage {
  /** No row that it gives out from now on is older, but for what may still be late. */
  watermarkMs: number
}
export interface SourceStage extends Stage {
  readonly topic: string
  readonly firstLane: number
  readonly chain: StepChain
  readonly takers: Taker[]
}
export interface OperatorStage extends Stage {
  readonly id: string
  readonly operator: Operator
  /** Null: it writes the results itself. */
  readonly out: BatchBuilder | null
  readonly inputs: readonly Stage[]
  readonly takers: Taker[]
  /** Rows it took in, and how long it worked; for figures. */
  rowsIn: number
  busyMs: number
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

/** Told of rows that go no further. */
export interface GraphFates extends RowFates {
  tooLate(batch: Batch, row: number, watermarkMs: number): void
}

export class PlanGraph {
  readonly plan: Plan
  readonly results: ResultBuilder
  readonly lanes: readonly Lane[]
  readonly sources: SourceStage[] = []
  /** In the order of the Plan: inputs before their users. */
  readonly operators: OperatorStage[] = []
  readonly chains: { readonly chain: StepChain; readonly stage: Stage }[] = []
  /** Dictionaries that operators made. */
  readonly numbers: NumberDictionary[] = []
  readonly texts: TextDictionary[] = []
  readonly #lowered: Lowered
  readonly #settings: RunnerSettings
  readonly #fates: GraphFates

  constructor(lowered: Lowered, settings: RunnerSettings, fates: GraphFates) {
    this.plan = lowered.plan
    this.#lowered = lowered
    this.#settings = settings
    this.#fates = fates
    this.lanes = lowered.topics.flatMap((topic) =>
      Array.from({ length: settings.partitions.get(topic) ?? 0 }, (_, partition) => ({ topic, partition })),
    )
    this.results = new ResultBuilder(this.plan, this.lanes)
    const origins = new Map<string, Origin>()
    for (const node of this.plan.nodes) if (!origins.has(node.id)) this.#add(node, origins)
    const { result } = lowered
    const last = origins.get(result.id)!
    if (isStep(result) || isView(result) || result.kind === 'source')
      last.takers.push(rowsToResults(result, last.shape.placeOf, this.results))
  }

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
    if (isView(node)) {
      origins.set(node.id, this.#addView(node, origins))
      return
    }
    const inputs = node.inputs.map((id, index) => asChanging(node, this.#checked(node, id, index, origins.get(id)!)))
    const top = inputs[0]?.shape.updates ? null : (this.#lowered.tops.get(node.id) ?? null)
    const given = top ?? node
    const out = given === this.#lowered.result ? null : new BatchBuilder(given.columns, this.lanes.length)
    const sink: RowSink = out ?? this.results
    const { operator, texts, updates, reachMs } = lowerOperator(
      {
        plan: this.plan,
        node,
        inputs: inputs.map(({ shape }) => shape),
        lanes: this.lanes.length,
        latenessMs: this.#settings.bounded ? 0 : this.plan.latenessMs,
        out: sink,
        tooLate: (batch, row, watermarkMs) => this.#fates.tooLate(batch, row, watermarkMs),
        numbers: this.numbers,
        texts: this.texts,
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
      rowsIn: 0,
      busyMs: 0,
    }
    this.operators.push(stage)
    inputs.forEach(({ takers }, input) => {
      takers.push((batch, rows, count) => {
        const startedMs = this.#settings.monoMs()
        operator.push(input, batch, rows, count)
        stage.busyMs += this.#settings.monoMs() - startedMs
        stage.rowsIn += count
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
      several: false,
      reachMs,
    }
    origins.set(given.id, { stage, takers: stage.takers, chain: null, shape, slots: given.columns.length })
  }
  #addView(node: PlanNode, origins: ReadonlyMap<string, Origin>): Origin {
    const inputs = node.inputs.map((id) => origins.get(id)!)
    const shapes = inputs.map(({ shape }) => shape)
    const lanes = this.lanes.length
    const { view, places, slots, timeOf } = lowerView({
      plan: this.plan,
      node,
      inputs: shapes,
      lanes,
      numbers: this.numbers,
      texts: this.texts,
    })
    const stage: OperatorStage = {
      id: node.id,
      operator: {
        push: () => {},
        advance: (watermarkMs) => watermarkMs,
        tick: () => {},
        write: (to) => view.write(to),
        restore: (from) => view.restore(from),
        mark: (dictionary, live) => view.mark(dictionary, live),
        bytes: () => view.bytes(),
      },
      out: null,
      inputs: timeOf.map((input) => inputs[input]!.stage),
      takers: [],
      watermarkMs: Number.NEGATIVE_INFINITY,
      rowsIn: 0,
      busyMs: 0,
    }
    this.operators.push(stage)
    const { takers } = stage
    const give: Taker = (batch, rows, count) => {
      for (const take of takers) take(batch, rows, count)
    }
    inputs.forEach((input, index) => {
      input.takers.push((batch, rows, count) => {
        stage.rowsIn += count
        view.push(index, batch, rows, count, give)
      })
    })
    const timed = timeOf.map((input) => shapes[input]!)
    const at = new Map(node.columns.map(({ name }, i) => [name, places[i]!]))
    const shape: InputShape = {
      columns: node.columns,
      placeOf: (name) => at.get(name) ?? { slot: -1, dictionary: null },
      changelog: node.changelog,
      updates: false,
      fromRecords: timed.every(({ fromRecords }) => fromRecords),
      several: node.kind === 'unnest' || timed.some(({ several }) => several),
      reachMs: Math.max(...timed.map(({ reachMs }) => reachMs)),
    }
    return { stage, takers, chain: null, shape, slots }
  }
  #addSource(node: SourceNode): Origin {
    const { topic } = node
    const projections = this.#settings.projections.get(topic) ?? []
    const dictionaries = this.#settings.dictionaries.get(topic) ?? {}
    const places = new Map<string, Place>()
    const dictionaryOf = (name: string, as: Projection['as']): Place['dictionary'] => {
      const of = as === 'id' ? dictionaries[name] : undefined
      return of === undefined ? null : { name: `${topic}.${name}`, of }
    }
    projections.forEach(({ name, as, elements = [] }, slot) => {
      if (as !== 'list') {
        places.set(name, { slot, dictionary: dictionaryOf(name, as) })
        return
      }
      const within = elements.map((element, index): [string, Place] => [
        element.name,
        { slot: index, dictionary: dictionaryOf(elementName(name, element.name), element.as) },
      ])
      places.set(name, { slot, dictionary: null, elements: new Map(within) })
    })
    const shape: InputShape = {
      columns: node.columns,
      placeOf: (name) => places.get(name) ?? { slot: -1, dictionary: null },
      changelog: node.changelog,
      updates: false,
      fromRecords: true,
      several: false,
      reachMs: this.#settings.bounded ? 0 : this.plan.latenessMs,
    }
    const chain = new StepChain(this.plan, shape, projections.length, this.lanes.length, this.texts)
    const stage: SourceStage = {
      topic,
      firstLane: this.lanes.findIndex((lane) => lane.topic === topic),
      chain,
      takers: [],
      watermarkMs: Number.NEGATIVE_INFINITY,
    }
    this.sources.push(stage)
    this.chains.push({ chain, stage })
    return { stage, takers: stage.takers, chain, shape: chain.shape, slots: projections.length }
  }
  /** The chain that a step or check after this node goes to: the node's own if nobody else takes its rows. */
  #chainFrom(id: string, origin: Origin): { chain: StepChain; takers: Taker[] } {
    if (origin.chain !== null && this.#lowered.consumers.get(id)?.length === 1)
      return { chain: origin.chain, takers: origin.takers }
    const chain = new StepChain(this.plan, origin.shape, origin.slots, this.lanes.length, this.texts)
    const takers: Taker[] = []
    origin.takers.push((batch, rows, count) => {
      const view = chain.push(batch, rows, count, this.#fates)
      for (const take of takers) take(view, chain.selection.rows, chain.selection.count)
    })
    this.chains.push({ chain, stage: origin.stage })
    return { chain, takers }
  }
  /** An input of an operator; what aggregates compute from its rows is checked before they are taken in. */
  #checked(node: PlanNode, id: string, index: number, origin: Origin): Origin {
    const computed: { name: string; value: Expression }[] = []
    if ('aggregates' in node)
      for (const { name, aggregate } of node.aggregates)
        for (const value of computedIn(aggregate, origin.shape.fromRecords)) computed.push({ name, value })
    if (node.kind === 'decayed-sum' && node.value.op !== 'literal')
      computed.push({ name: node.columns[node.columns.length - 1]?.name ?? node.kind, value: node.value })
    // What a result is grouped or joined by may be a sum that has left the exact numbers.
    const keys = keysTaken(node, index)
    if (!origin.shape.fromRecords)
      for (const { name, type } of origin.shape.columns)
        if (keys.includes(name) && !isTextKind(type.kind)) computed.push({ name, value: { op: 'column', name, type } })
    if (computed.length === 0) return origin
    const { chain, takers } = this.#chainFrom(id, origin)
    chain.check(computed)
    return { ...origin, chain, takers, shape: chain.shape, slots: chain.slots }
  }
}

function keysTaken(node: PlanNode, input: number): readonly string[] {
  if ('groups' in node) return node.groups
  return node.kind === 'join' ? node.on.map(({ left, right }) => (input === 0 ? left : right)) : []
}
/**
 * Which of two rows of one instant is the first is told by their keys where rows may change: then it is so too where they
 * happen not to, or the answer would depend on how rows are emitted.
 */
function asChanging(node: PlanNode, origin: Origin): Origin {
  const { shape } = origin
  const picks = node.kind === 'window-aggregate' && node.aggregates.some(({ aggregate }) => isPick(aggregate.function))
  if (!picks || shape.fromRecords || shape.changelog.mode !== 'upsert' || node.window.kind === 'session') return origin
  return { ...origin, shape: { ...shape, updates: true } }
}
const isPick = (name: string): boolean => name === 'first' || name === 'last' || name === 'argmax'

/** What an operator gave out goes to what follows it. */
export function flush({ out, takers, watermarkMs }: OperatorStage): void {
  if (out === null || out.count === 0) return
  const batch = out.take(watermarkMs)
  const { all, count } = out
  for (const take of takers) take(batch, all, count)
  out.clear()
}
