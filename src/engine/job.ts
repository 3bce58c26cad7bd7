// A job: some Plans over their sources. Each topic is decoded once; watermarks, ledger, dead letters and late records
// are kept here; the Plans' own work is in `plan-runner.ts`.
import type { Contract } from '../query/contract.ts'
import type { Plan } from '../query/plan.ts'
import { PlanError } from '../query/plan.ts'
import { assert } from '../std/assert.ts'
import { eventTimeMs } from '../std/units.ts'
import { type Decoder, type DecoderSettings, idColumnsOf, type Projection, type Refusal } from './decoder.ts'
import { Dictionary } from './dictionary.ts'
import type {
  DeadLetter,
  DecoderMemory,
  HorizonLine,
  Job,
  JobOutput,
  JobSettings,
  LateRecord,
  LedgerLine,
  OperatorLine,
  PartitionProgress,
  SourceBatch,
  Tick,
  WatermarkRaise,
} from './engine.ts'
import { identityOf, readJobState, writeJobState } from './job-state.ts'
import { Ledger } from './ledger.ts'
import { type Lowered, lowerPlan } from './lower.ts'
import type { RunnerSettings } from './plan-graph.ts'
import { type Fates, PlanRunner, type TopicTime } from './plan-runner.ts'
import { copyOf, recordOf } from './raw-records.ts'
import { readPiece, ShardIds } from './shard-pieces.ts'
import { type PartitionTime, SourceTime } from './source-time.ts'
import { flatten, type StateParts } from './state-bytes.ts'
import { stateLimitError } from './state-limit.ts'
import { touchedWindows } from './touched-windows.ts'

const STATE_BYTES_MAX = 2 ** 30
/**
 * State is measured after so many records at least, as measuring walks all panes; later where the limit is far: a record
 * seldom adds more than RECORD_STATE_BYTES.
 */
const MEASURE_EVERY = 16_384
const MEASURE_EVERY_MAX = 262_144
const RECORD_STATE_BYTES = 1024

export interface Source {
  readonly topic: string
  readonly decoder: Decoder
  readonly dictionaries: { readonly [column: string]: Dictionary<string> }
  readonly projections: readonly Projection[]
  readonly outOfOrderMs: number
  readonly time: SourceTime
  readonly ledger: Ledger
}

export class EngineJob implements Job {
  readonly topics: readonly string[]
  readonly #sources: ReadonlyMap<string, Source>
  /** By shard: what its ids are here. */
  readonly #foreign: ShardIds[] = []
  readonly #runners: readonly PlanRunner[]
  /** All whose state holds ids of the dictionaries: its own, and those of a job that shares its sources. */
  readonly #holders: PlanRunner[]
  readonly #settings: JobSettings
  readonly #timeOf = (topic: string): TopicTime => this.#sourceOf(topic).time
  /** Of rows that come out with time: there is no record at hand. */
  readonly #outside: Fates
  #deadLetters: DeadLetter[] = []
  #lateRecords: LateRecord[] = []
  #raises: WatermarkRaise[] = []
  #sinceMeasured = 0
  #measureAfter = MEASURE_EVERY

  /** `shared`: decoders and dictionaries that another job has too; the two take turns. */
  constructor(
    plans: readonly Plan[],
    openDecoder: (settings: DecoderSettings) => Decoder,
    settings: JobSettings,
    shared: SharedSources | null = null,
  ) {
    this.#settings = settings
    const lowered = plans.map((plan) => lowerPlan(plan))
    const twice = plans.find((plan, i) => plans.findIndex((other) => other.name === plan.name) !== i)
    if (twice) throw new PlanError(twice.name, 'job', 'two plans have this name', 'Name them apart')
    const { sources, runnerSettings } = shared ?? openSources(lowered, openDecoder, settings)
    this.topics = topicsOf(lowered)
    this.#sources = shared === null ? sources : withOwnTime(sources, this.topics, settings.bounded)
    this.#runners = lowered.map((one) => new PlanRunner(one, runnerSettings))
    this.#holders = shared?.holders ?? []
    this.#holders.push(...this.#runners)
    const never = (): void => assert(false, 'a record went wrong where none came in')
    this.#outside = {
      refuse: never,
      duplicate: never,
      tooLate: never,
      refuseRow: (behind, reason, field, message) => this.#refuseRow(behind, reason, field, message),
    }
  }

  push(batch: SourceBatch): void {
    const source = this.#sourceOf(batch.topic)
    const { time, ledger } = source
    if (!(batch.partition < time.partitions))
      throw new RangeError(
        `topic '${batch.topic}' has a partition ${batch.partition}, its contract only ${time.partitions}. Give the job the topic's partitions`,
      )
    if (batch.count === 0) return
    this.#wake(source, batch.partition, batch.offsets[0]!)
    ledger.begin(batch.partition, batch.count)
    const raw: RawRecords = (record) => recordOf(batch, record)
    const rows = source.decoder.decode(batch, (refusal) => this.#refuse(source, raw, refusal))
    time.stamp(rows)
    for (const runner of this.#runners)
      if (runner.topics.includes(batch.topic)) runner.push(batch.topic, rows, this.#fatesOf(source, raw, runner))
    this.#advance(source, batch.count)
  }
  #wake(source: Source, partition: number, offset: number): void {
    const raisedMs = source.time.wake(partition, this.#floorMs(source.topic))
    if (raisedMs !== null) this.#raises.push({ topic: source.topic, partition, offset, watermarkMs: raisedMs })
  }
  #fatesOf(source: Source, raw: RawRecords, runner: PlanRunner): Fates {
    return {
      refuse: (record, reason, field, message) => this.#refuse(source, raw, { record, reason, field, message }),
      duplicate: (record) => source.ledger.duplicate(record),
      tooLate: (record, timeMs, watermarkMs) => this.#tooLate(source, raw, record, timeMs, watermarkMs, runner.plan),
      refuseRow: this.#outside.refuseRow,
    }
  }
  /** A batch is through: time goes on. */
  #advance(source: Source, records: number): void {
    source.ledger.end()
    source.time.advance()
    for (const runner of this.#runners)
      if (runner.topics.includes(source.topic)) runner.advance(this.#timeOf, this.#outside)
    this.#sweep(source)
    this.#measure(records)
  }

  isIdle(topic: string, partition: number): boolean {
    return this.#sourceOf(topic).time.isIdle(partition)
  }
  wakingAt(topic: string, partition: number): PartitionTime {
    return this.#sourceOf(topic).time.wakingAt(partition)
  }
  absorb(shard: number, bytes: Uint8Array, rawOf: (use: (batch: SourceBatch) => void) => void): void {
    const ids = this.#foreign[shard] ?? new ShardIds(this.#sources, this.#runners)
    this.#foreign[shard] = ids
    const piece = readPiece(bytes, this.#sources, this.#runners, ids)
    if (piece === null) return
    const { source, partition, refusals, rows, late } = piece
    const { ledger } = source
    this.#wake(source, partition, piece.firstOffset)
    ledger.begin(partition, piece.count)
    // The batch is only looked at again when a record of it goes wrong; then once for all of them.
    let again: SourceBatch | null = null
    const raw: RawRecords = (record) => {
      if (again === null)
        rawOf((batch) => {
          again = copyOf(batch)
        })
      assert(again !== null, `the batch of record ${record} is still there`)
      return recordOf(again, record)
    }
    for (const { plan, refusal } of refusals) if (plan < 0) this.#refuse(source, raw, refusal)
    source.time.observe(partition, piece.eventTimeMsMax, piece.watermarkMs)
    this.#runners.forEach((runner, plan) => {
      if (!runner.topics.includes(source.topic)) return
      for (const each of refusals) if (each.plan === plan) this.#refuse(source, raw, each.refusal)
      if (rows === null) return
      const fates = this.#fatesOf(source, raw, runner)
      if (runner.gathering === null) runner.push(source.topic, rows, fates)
      else if (late.length > 0) runner.push(source.topic, rows, fates, late, late.length)
    })
    this.#advance(source, piece.count)
  }
  /** The furthest watermark that a Plan holds the topic's records to. */
  #floorMs(topic: string): number {
    let floorMs = Number.NEGATIVE_INFINITY
    for (const runner of this.#runners)
      if (runner.topics.includes(topic)) floorMs = Math.max(floorMs, runner.floorMs(topic))
    return floorMs
  }
  memoryOf(topic: string): DecoderMemory | null {
    return this.#sourceOf(topic).decoder.memory()
  }
  #refuse(source: Source, raw: RawRecords, { record, reason, field, message }: Refusal): void {
    if (!source.ledger.deadLetter(record)) return
    this.#deadLetters.push({ ...raw(record), reason, field, message })
  }
  #refuseRow(
    { topic, partition, offset, timeMs }: Parameters<Fates['refuseRow']>[0],
    reason: Refusal['reason'],
    field: string,
    message: string,
  ): void {
    const behind = `; a result of the record at offset ${offset} and others`
    const value = new Uint8Array(0)
    this.#deadLetters.push({
      topic,
      partition,
      offset,
      arrivalMs: timeMs,
      value,
      reason,
      field,
      message: message + behind,
    })
  }
  #tooLate(source: Source, raw: RawRecords, record: number, timeMs: number, watermarkMs: number, plan: Plan): void {
    source.ledger.late(record)
    const times = { eventTimeMs: eventTimeMs(timeMs), watermarkMs: eventTimeMs(watermarkMs) }
    const windows = touchedWindows(plan, source.topic, timeMs)
    this.#lateRecords.push({ ...raw(record), ...times, plan: plan.name, windows })
  }

  tick(tick: Tick): void {
    for (const { topic, partition } of tick.idle) this.#sources.get(topic)?.time.markIdle(partition)
    for (const { time } of this.#sources.values()) time.advance()
    for (const runner of this.#runners) {
      runner.advance(this.#timeOf, this.#outside)
      runner.tick(tick, this.#outside)
    }
  }
  finish(): void {
    for (const { time } of this.#sources.values()) time.finish()
    for (const runner of this.#runners) runner.advance(this.#timeOf, this.#outside)
  }
  take(): JobOutput {
    const output = {
      results: this.#runners.filter(({ results }) => results.count > 0).map(({ results }) => results.take()),
      deadLetters: this.#deadLetters,
      lateRecords: this.#lateRecords,
      raises: this.#raises,
      emitted: [],
    }
    this.#deadLetters = []
    this.#lateRecords = []
    this.#raises = []
    return output
  }
  release({ results }: JobOutput): void {
    for (const batch of results) this.#runners.find(({ plan }) => plan === batch.plan)?.results.release(batch)
  }

  watermarkMs(planOrTopic: string): number {
    const runner = this.#runners.find(({ plan }) => plan.name === planOrTopic)
    if (runner === undefined) return this.#sourceOf(planOrTopic).time.globalMs
    return runner.topics.reduce((least, topic) => Math.min(least, runner.floorMs(topic)), Number.POSITIVE_INFINITY)
  }
  partitions(topic: string): readonly PartitionProgress[] {
    return this.#sourceOf(topic).time.progress()
  }
  ledger(): readonly LedgerLine[] {
    return [...this.#sources.values()].flatMap(({ topic, ledger }) => ledger.lines(topic))
  }
  horizons(): readonly HorizonLine[] {
    return this.#runners.flatMap(({ plan, deduplications }) =>
      deduplications.map(({ horizonMs, reachMs, identities, forgottenEarly, bytes }) => ({
        plan: plan.name,
        horizonMs,
        reachMs,
        identities,
        forgottenEarly,
        bytes,
      })),
    )
  }
  operators(): readonly OperatorLine[] {
    return this.#runners.flatMap((runner) => runner.operators())
  }
  #sourceOf(topic: string): Source {
    const source = this.#sources.get(topic)
    assert(source !== undefined, `no plan of this job reads '${topic}'; its topics are ${this.topics.join(', ')}`)
    return source
  }

  /** Gives back dictionary ids that no window holds, where dictionaries have grown. */
  #sweep(source: Source): void {
    for (const [column, dictionary] of Object.entries(source.dictionaries)) {
      if (dictionary.count < dictionary.sweepAt) continue
      const live = new Uint8Array(dictionary.high)
      for (const runner of this.#holders) runner.mark(`${source.topic}.${column}`, live)
      dictionary.sweep(live)
    }
    for (const runner of this.#runners) runner.sweepOwn()
  }
  #measure(records: number): void {
    this.#sinceMeasured += records
    if (this.#sinceMeasured < this.#measureAfter) return
    this.#sinceMeasured = 0
    const [bytes, bytesMax] = [this.stateBytes(), this.#settings.stateBytesMax ?? STATE_BYTES_MAX]
    this.#measureAfter = Math.max(MEASURE_EVERY, Math.min(MEASURE_EVERY_MAX, (bytesMax - bytes) / RECORD_STATE_BYTES))
    if (bytes <= bytesMax) return
    const plans = this.#runners.map((one) => ({ plan: one.plan, bytes: one.bytes(), operators: one.operators() }))
    throw stateLimitError(bytes, bytesMax, plans)
  }
  stateBytes(): number {
    let bytes = 0
    for (const { dictionaries } of this.#sources.values())
      for (const dictionary of Object.values(dictionaries)) bytes += dictionary.bytes
    for (const runner of this.#runners) bytes += runner.bytes()
    return bytes
  }

  snapshot(): Uint8Array {
    return flatten(this.cut())
  }
  cut(): StateParts {
    const due = this.#deadLetters.length + this.#lateRecords.length + this.#raises.length
    assert(
      due === 0 && this.#runners.every(({ results }) => results.count === 0),
      'what became due is taken before a snapshot',
    )
    return writeJobState(this.#identity(), this.sources, this.#runners)
  }
  restore(state: Uint8Array | StateParts): void {
    readJobState(state, this.#identity(), this.#sources, this.#runners)
  }
  #identity(): string {
    return identityOf(this.#runners, this.sources, this.#settings.bounded)
  }
  get sources(): readonly Source[] {
    return [...this.#sources.values()]
  }
  runnerOf(plan: string): PlanRunner | null {
    return this.#runners.find((runner) => runner.plan.name === plan) ?? null
  }
}

/** A record as it came, by its place in its batch. */
type RawRecords = (record: number) => ReturnType<typeof recordOf>

/** What jobs that take turns have in common. */
export interface SharedSources {
  readonly sources: ReadonlyMap<string, Source>
  readonly runnerSettings: RunnerSettings
  /** Filled by the jobs. */
  readonly holders: PlanRunner[]
}
export function topicsOf(lowered: readonly Lowered[]): string[] {
  return [...new Set(lowered.flatMap((one) => one.topics))]
}
function withOwnTime(sources: ReadonlyMap<string, Source>, topics: readonly string[], bounded: boolean) {
  return new Map(
    topics.map((topic) => {
      const source = sources.get(topic)
      assert(source !== undefined, `topic '${topic}' is among the shared ones`)
      const { partitions } = source.time
      const time = new SourceTime(partitions, source.outOfOrderMs, bounded)
      return [topic, { ...source, time, ledger: new Ledger(partitions) }]
    }),
  )
}

export function openSources(
  lowered: readonly Lowered[],
  openDecoder: (settings: DecoderSettings) => Decoder,
  settings: Pick<JobSettings, 'bounded' | 'partitions' | 'monoMs' | 'judgesFuture' | 'avro'>,
): { readonly sources: ReadonlyMap<string, Source>; readonly runnerSettings: RunnerSettings } {
  const opened = topicsOf(lowered).map((topic) =>
    openSource(
      topic,
      lowered.filter((one) => one.topics.includes(topic)),
      openDecoder,
      settings,
    ),
  )
  return {
    sources: new Map(opened.map(({ source }) => [source.topic, source])),
    runnerSettings: {
      partitions: new Map(opened.map(({ source }) => [source.topic, source.time.partitions])),
      bounded: settings.bounded,
      monoMs: settings.monoMs ?? (() => 0),
      projections: new Map(opened.map(({ source, projections }) => [source.topic, projections])),
      dictionaries: new Map(opened.map(({ source }) => [source.topic, source.dictionaries])),
    },
  }
}

function openSource(
  topic: string,
  plans: readonly Lowered[],
  openDecoder: (settings: DecoderSettings) => Decoder,
  settings: Pick<JobSettings, 'bounded' | 'partitions' | 'judgesFuture' | 'avro'>,
): { readonly source: Source; readonly projections: readonly Projection[] } {
  const first = plans[0]
  assert(first !== undefined, 'a source has plans')
  const contract: Contract | undefined = first.plan.contracts[topic]
  assert(contract !== undefined, `plan ${first.plan.name} brings the contract of ${topic}`)
  for (const { plan } of plans)
    if (JSON.stringify(plan.contracts[topic]) !== JSON.stringify(contract))
      throw new PlanError(
        plan.name,
        `topic '${topic}'`,
        'its contract differs from that of another plan of the job',
        'Build both on one contract',
      )
  const projections = unionOf(plans.flatMap((one) => one.projections.get(topic) ?? []))
  const dictionaries = Object.fromEntries(idColumnsOf(projections).map((name) => [name, new Dictionary<string>()]))
  const partitions = settings.partitions?.[topic] ?? contract.partitions
  const { bounded } = settings
  const source = {
    topic,
    decoder: openDecoder({
      contract,
      projections,
      dictionaries,
      futureLimit: !bounded || settings.judgesFuture === true,
      ...(settings.avro === undefined ? {} : { avro: settings.avro }),
    }),
    dictionaries,
    projections,
    outOfOrderMs: contract.outOfOrderMs,
    time: new SourceTime(partitions, contract.outOfOrderMs, bounded),
    ledger: new Ledger(partitions),
  }
  return { source, projections }
}

/** Every column some plan wants; by id if one wants it so. */
function unionOf(wanted: readonly Projection[]): Projection[] {
  const union = new Map<string, Projection>()
  for (const projection of wanted) {
    const known = union.get(projection.name)
    if (projection.as === 'list') {
      const elements = unionOf([...(known?.elements ?? []), ...(projection.elements ?? [])])
      union.set(projection.name, { ...projection, elements })
    } else if (known?.as !== 'id') union.set(projection.name, projection)
  }
  return [...union.values()]
}
