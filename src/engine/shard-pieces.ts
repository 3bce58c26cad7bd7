// What a shard tells the job of one batch, or of a flush; both are of one build, so there is no version.
//
//   u32 kind | news of the dictionaries: of each source, then of each plan | the panes of each plan that gathers
//   and of a batch: u32 topic | u32 partition | u32 records | f64 first offset | f64 newest event time | f64 watermark
//   | u32 refusals, each: i32 plan + 1 (0: the decoder) | u32 record | text reason, field, message
//   | u32 rows that follow (0 or 1) | the rows, see `row-bytes.ts`
import { assert } from '../std/assert.ts'
import type { Batch, BatchColumn } from './columns.ts'
import { type Refusal, refusalReasons } from './decoder.ts'
import { ForeignIds, tellNumbers, tellTexts } from './foreign-ids.ts'
import type { Source } from './job.ts'
import type { IdsOf } from './pane-gathering.ts'
import type { PlanRunner } from './plan-runner.ts'
import { readRows } from './row-bytes.ts'
import { StateReader, type StateWriter, unflatten } from './state-bytes.ts'

export const PIECE_BATCH = 1
export const PIECE_FLUSH = 2

/** Of a plan, or of the decoder (-1). */
export interface PieceRefusal {
  readonly plan: number
  readonly refusal: Refusal
}
export interface Piece {
  readonly source: Source
  readonly partition: number
  readonly count: number
  readonly firstOffset: number
  readonly eventTimeMsMax: number
  readonly watermarkMs: number
  readonly refusals: readonly PieceRefusal[]
  /** All rows, or those behind their watermark; null: neither was asked for or there. */
  readonly rows: Batch | null
  /** Of these rows those behind their watermark. */
  readonly late: Int32Array
}

/** What the ids of one shard are on the job's thread, by the names of their dictionaries. */
export class ShardIds {
  readonly #sources: { readonly topic: string; readonly ids: readonly ForeignIds<string>[] }[] = []
  readonly #plans: {
    readonly numbers: readonly { readonly name: string; readonly ids: ForeignIds<number> }[]
    readonly texts: readonly { readonly name: string; readonly ids: ForeignIds<string> }[]
  }[] = []
  readonly #bySource = new Map<string, ForeignIds<string>>()
  readonly #rows = new Map<string, ReturnType<ShardIds['rowsOf']>>()

  constructor(sources: ReadonlyMap<string, Source>, runners: readonly PlanRunner[]) {
    for (const { topic, dictionaries } of sources.values()) {
      const ids = Object.entries(dictionaries).map(([column, dictionary]) => {
        const made = new ForeignIds(dictionary)
        this.#bySource.set(`${topic}.${column}`, made)
        return made
      })
      this.#sources.push({ topic, ids })
    }
    for (const { ownNumbers, ownTexts } of runners.filter(({ gathering }) => gathering !== null))
      this.#plans.push({
        numbers: ownNumbers.map(({ name, dictionary }) => ({ name, ids: new ForeignIds(dictionary) })),
        texts: ownTexts.map(({ name, dictionary }) => ({ name, ids: new ForeignIds(dictionary) })),
      })
  }
  learn(from: StateReader): void {
    for (const { ids } of this.#sources) for (const each of ids) each.learn(from, (reader) => reader.text())
    for (const { numbers, texts } of this.#plans) {
      for (const { ids } of numbers) ids.learn(from, (reader) => reader.f64())
      for (const { ids } of texts) ids.learn(from, (reader) => reader.text())
    }
  }
  /** Of the plan that gathers, by its place among those; null: the dictionary is the same on all threads. */
  of(plan: number): IdsOf {
    const own = this.#plans[plan]
    return (name) =>
      own?.numbers.find((each) => each.name === name)?.ids ??
      own?.texts.find((each) => each.name === name)?.ids ??
      this.#bySource.get(name) ??
      null
  }
  /** A batch for rows of the topic, and the ids of its columns. */
  rowsOf({ topic, projections, dictionaries }: Source): {
    readonly rows: Batch
    readonly columnIds: readonly (ForeignIds<string> | null)[]
  } {
    const known = this.#rows.get(topic)
    if (known !== undefined) return known
    const columns = projections.map(({ name, as }): BatchColumn => {
      if (as === 'number') return { kind: 'number', values: new Float64Array(0) }
      if (as === 'text') return { kind: 'text', values: [] }
      const dictionary = dictionaries[name]
      assert(dictionary !== undefined, `column ${name} has a dictionary`)
      return { kind: 'id', values: new Int32Array(0), dictionary }
    })
    const rows: Batch = {
      topic,
      partition: 0,
      rows: 0,
      columns,
      times: new Float64Array(0),
      watermarks: new Float64Array(0),
      records: new Int32Array(0),
      offsets: new Float64Array(0),
    }
    const made = { rows, columnIds: projections.map(({ name }) => this.#bySource.get(`${topic}.${name}`) ?? null) }
    this.#rows.set(topic, made)
    return made
  }
}
/** The other side of `learn`. */
export function tellNews(
  out: StateWriter,
  sources: ReadonlyMap<string, Source>,
  gathering: readonly PlanRunner[],
): void {
  for (const { dictionaries } of sources.values())
    for (const dictionary of Object.values(dictionaries)) tellTexts(dictionary, out)
  for (const { ownNumbers, ownTexts } of gathering) {
    for (const { dictionary } of ownNumbers) tellNumbers(dictionary, out)
    for (const { dictionary } of ownTexts) tellTexts(dictionary, out)
  }
}

/** Takes in the news and the panes; what else there is of a batch is for the job to go through. Null: a flush. */
export function readPiece(
  bytes: Uint8Array,
  sources: ReadonlyMap<string, Source>,
  runners: readonly PlanRunner[],
  ids: ShardIds,
): Piece | null {
  const from = new StateReader(unflatten(bytes))
  const kind = from.u32()
  ids.learn(from)
  runners
    .filter(({ gathering }) => gathering !== null)
    .forEach(({ gathering }, plan) => {
      gathering?.takeIn(from, ids.of(plan))
    })
  if (kind === PIECE_FLUSH) {
    from.end()
    return null
  }
  const source = [...sources.values()][from.u32()]
  assert(source !== undefined, 'a shard reads topics of the job')
  const head = {
    source,
    partition: from.u32(),
    count: from.u32(),
    firstOffset: from.f64(),
    eventTimeMsMax: from.f64(),
    watermarkMs: from.f64(),
    refusals: Array.from({ length: from.u32() }, () => readRefusal(from)),
  }
  if (from.u32() === 0) {
    from.end()
    return { ...head, rows: null, late: new Int32Array(0) }
  }
  const { rows, columnIds } = ids.rowsOf(source)
  readRows(from, rows, columnIds)
  from.end()
  const late = new Int32Array(rows.rows)
  let count = 0
  for (let row = 0; row < rows.rows; row++) if (rows.times[row]! < rows.watermarks[row]!) late[count++] = row
  return { ...head, rows, late: late.subarray(0, count) }
}
export function writeRefusals(out: StateWriter, refusals: readonly PieceRefusal[]): void {
  out.u32(refusals.length)
  for (const { plan, refusal } of refusals) {
    out.u32(plan + 1)
    out.u32(refusal.record)
    out.u32(refusalReasons.indexOf(refusal.reason))
    out.text(refusal.field)
    out.text(refusal.message)
  }
}
function readRefusal(from: StateReader): PieceRefusal {
  const [plan, record, reason] = [from.u32() - 1, from.u32(), refusalReasons[from.u32()]]
  assert(reason !== undefined, 'a reason of this build')
  return { plan, refusal: { record, reason, field: from.text(), message: from.text() } }
}
