// The part of a job that runs on another thread: it decodes the batches of its partitions, stamps them with their
// partition's watermark, gathers panes of the rows in time where a Plan allows it, and passes on what the job needs to go
// on as if it had done that itself.
import type { Plan } from '../query/plan.ts'
import { assert } from '../std/assert.ts'
import type { Batch } from './columns.ts'
import type { Decoder, DecoderSettings } from './decoder.ts'
import type { DecoderMemory, Shard, ShardSettings, SourceBatch } from './engine.ts'
import { openSources, type Source } from './job.ts'
import { type Lowered, lowerPlan } from './lower.ts'
import { type Fates, PlanRunner } from './plan-runner.ts'
import { writeRows } from './row-bytes.ts'
import { PIECE_BATCH, PIECE_FLUSH, type PieceRefusal, tellNews, writeRefusals } from './shard-pieces.ts'
import type { PartitionTime } from './source-time.ts'
import { flatten, StateWriter } from './state-bytes.ts'

/** What was gathered goes out at the latest after so many records: nothing here is measured against the state's limit. */
const GATHERED_RECORDS_MAX = 1_000_000

/** Can rows of these Plans' topics be passed between threads? */
export function canShard(plans: readonly Lowered[]): boolean {
  const kinds = plans.flatMap(({ projections }) => [...projections.values()].flat().map(({ as }) => as as string))
  const contracts = plans.flatMap(({ plan }) => Object.values(plan.contracts))
  return (
    kinds.every((kind) => kind === 'number' || kind === 'id' || kind === 'text') &&
    // The schemas of Avro are on the job's own thread.
    contracts.every(({ format }) => format !== 'avro')
  )
}

export class EngineShard implements Shard {
  readonly #sources: ReadonlyMap<string, Source>
  readonly #topics: readonly string[]
  readonly #runners: readonly PlanRunner[]
  readonly #gathering: readonly PlanRunner[]
  readonly #out = new StateWriter()
  #refusals: PieceRefusal[] = []
  #gatheredRecords = 0
  #late = new Int32Array(0)
  #inTime = new Int32Array(0)

  constructor(plans: readonly Plan[], openDecoder: (settings: DecoderSettings) => Decoder, settings: ShardSettings) {
    const lowered = plans.map((plan) => lowerPlan(plan))
    const { sources, runnerSettings } = openSources(lowered, openDecoder, settings)
    this.#sources = sources
    this.#topics = [...sources.keys()]
    this.#runners = lowered.map((one) => new PlanRunner(one, runnerSettings))
    this.#gathering = this.#runners.filter((runner) => runner.gathering !== null)
  }

  memoryOf(topic: string): DecoderMemory | null {
    return this.#sources.get(topic)?.decoder.memory() ?? null
  }
  push(batch: SourceBatch): Uint8Array<ArrayBuffer> {
    const source = this.#sourceOf(batch.topic)
    this.#refusals = []
    const rows = source.decoder.decode(batch, (refusal) =>
      this.#refusals.push({ plan: DECODER, refusal: { ...refusal } }),
    )
    source.time.stamp(rows)
    const late = this.#split(rows)
    let asked = false
    this.#runners.forEach((runner, plan) => {
      if (!runner.topics.includes(batch.topic)) return
      if (runner.gathering === null) asked = true
      else runner.push(batch.topic, rows, this.#fatesOf(plan), this.#inTime, rows.rows - late)
    })
    this.#gatheredRecords += batch.count
    const out = this.#out
    out.u32(PIECE_BATCH)
    this.#tell(out, this.#gatheredRecords >= GATHERED_RECORDS_MAX)
    const { eventTimeMsMax, watermarkMs } = source.time.wakingAt(batch.partition)
    out.u32(this.#topics.indexOf(batch.topic))
    out.u32(batch.partition)
    out.u32(batch.count)
    out.f64(batch.offsets[0]!)
    out.f64(eventTimeMsMax)
    out.f64(watermarkMs)
    writeRefusals(out, this.#refusals)
    const sent = asked ? rows.rows : late
    out.u32(sent === 0 ? 0 : 1)
    if (sent > 0) writeRows(out, rows, asked ? null : this.#late, sent)
    const bytes = flatten(out.finish())
    this.#sweep(source)
    return bytes
  }
  /** Rows behind the watermark they met go to the job as they are; how many those are. */
  #split(rows: Batch): number {
    if (this.#late.length < rows.rows) {
      this.#late = new Int32Array(rows.rows)
      this.#inTime = new Int32Array(rows.rows)
    }
    const [times, watermarks] = [rows.times, rows.watermarks]
    let late = 0
    for (let row = 0; row < rows.rows; row++) {
      if (times[row]! < watermarks[row]!) this.#late[late++] = row
      else this.#inTime[row - late] = row
    }
    return late
  }
  #fatesOf(plan: number): Fates {
    const never = (): void => assert(false, 'a row in time is neither a duplicate nor late where panes are gathered')
    return {
      refuse: (record, reason, field, message) =>
        this.#refusals.push({ plan, refusal: { record, reason, field, message } }),
      duplicate: never,
      tooLate: never,
      refuseRow: never,
    }
  }
  flush(): Uint8Array<ArrayBuffer> {
    const out = this.#out
    out.u32(PIECE_FLUSH)
    this.#tell(out, true)
    return flatten(out.finish())
  }
  setPartition(topic: string, partition: number, state: PartitionTime, idle: boolean): void {
    this.#sourceOf(topic).time.setPartition(partition, state, idle)
  }
  /** What the dictionaries took in, and the panes that no row in time can reach any more, or all. */
  #tell(out: StateWriter, all: boolean): void {
    if (all) this.#gatheredRecords = 0
    tellNews(out, this.#sources, this.#gathering)
    for (const { gathering, topics } of this.#gathering)
      gathering?.give(out, all ? Number.POSITIVE_INFINITY : this.#sourceOf(topics[0] ?? '').time.leastReadMs)
  }
  #sweep({ topic, dictionaries }: Source): void {
    for (const [column, dictionary] of Object.entries(dictionaries)) {
      if (dictionary.count < dictionary.sweepAt) continue
      const live = new Uint8Array(dictionary.high)
      for (const runner of this.#gathering) runner.mark(`${topic}.${column}`, live)
      dictionary.sweep(live)
    }
    for (const runner of this.#gathering) runner.sweepOwn()
  }
  #sourceOf(topic: string): Source {
    const source = this.#sources.get(topic)
    assert(source !== undefined, `no plan of this shard reads '${topic}'`)
    return source
  }
}

const DECODER = -1
