// The fast decoder: whole batches through the WebAssembly kernel, the records it does not take through JSON, one by one.
// Rows, refusals and ids are those of the JSON decoder, in the same order.
import { assert } from '../../std/assert.ts'
import { type Batch, IN_VALUES } from '../columns.ts'
import { type Decoder, type DecoderSettings, idColumnsOf, type Refusal } from '../decoder.ts'
import { Dictionary } from '../dictionary.ts'
import type { DecoderMemory, SourceBatch } from '../engine.ts'
import { grownFloats } from '../int-set.ts'
import { columnsFor } from '../nested-columns.ts'
import { pseudoFiller } from '../pseudo-columns.ts'
import { rowDecoder } from '../row-decoder.ts'
import { fieldTable, kernelTakes } from './field-table.ts'
import { kernelModule } from './kernel-file.ts'
import { KernelMemory } from './kernel-memory.ts'
import { SLACK_BYTES } from './layout.ts'
import { Templates } from './templates.ts'

/** Larger batches go through JSON whole: the kernel's memory never shrinks. */
export const KERNEL_BATCH_BYTES_MAX = 32 * 1024 * 1024
export const KERNEL_BATCH_RECORDS_MAX = 2 ** 18

/** The kernel where it was built and takes the contract, else JSON. */
export function openDecoder(settings: DecoderSettings, module: WebAssembly.Module | null = kernelModule()): Decoder {
  if (module === null || !kernelTakes(settings.contract, settings.projections)) return rowDecoder(settings)
  const dictionaries: Record<string, Dictionary<string>> = {}
  for (const name of idColumnsOf(settings.projections))
    dictionaries[name] = settings.dictionaries[name] ?? new Dictionary()
  return new KernelDecoder({ ...settings, dictionaries }, module)
}

interface Opened {
  readonly memory: KernelMemory
  readonly templates: Templates
}

export class KernelDecoder implements Decoder {
  /** Rows that JSON read, as no template took them. */
  jsonRows = 0
  /** Batches beyond the limits, or all of them where the contract does not fit the kernel's memory. */
  wholeBatchesByJson = 0
  readonly #settings: DecoderSettings
  readonly #module: WebAssembly.Module
  readonly #json: Decoder
  readonly #futureLimitMs: number
  readonly #batch: Batch
  readonly #fillPseudo: ReturnType<typeof pseudoFiller>
  /** Of the id columns, by the kernel's numbers. */
  readonly #dictionaries: readonly Dictionary<string>[]
  readonly #generations: number[]
  readonly #utf8 = new TextDecoder('utf-8', { ignoreBOM: true })
  /** Made for the first batch; null where the contract does not fit the kernel's memory. */
  #opened: Opened | null | undefined
  /** The batch in work. */
  #source: SourceBatch | null = null
  #refuse: (refusal: Refusal) => void = () => {}

  constructor(settings: DecoderSettings, module: WebAssembly.Module) {
    const { contract, projections, dictionaries } = settings
    this.#settings = settings
    this.#module = module
    this.#json = rowDecoder(settings)
    this.#fillPseudo = pseudoFiller(contract, projections)
    this.#futureLimitMs = settings.futureLimit ? contract.futureLimitMs : Number.POSITIVE_INFINITY
    const columns = columnsFor(projections, dictionaries)
    this.#dictionaries = columns.flatMap((column) => (column.kind === 'id' ? [column.dictionary] : []))
    this.#generations = this.#dictionaries.map(({ generation }) => generation)
    this.#batch = {
      topic: contract.topic,
      partition: 0,
      rows: 0,
      columns,
      times: new Float64Array(0),
      watermarks: new Float64Array(0),
      records: new Int32Array(0),
      offsets: new Float64Array(0),
    }
  }

  decode(source: SourceBatch, refuse: (refusal: Refusal) => void): Batch {
    const memoryNow = this.#opened?.memory
    const inPlace = memoryNow?.holds(source.bytes) ?? false
    const [low, high] = inPlace ? [0, 0] : bounds(source)
    const isLarge = high - low > KERNEL_BATCH_BYTES_MAX || source.count > KERNEL_BATCH_RECORDS_MAX
    const opened = isLarge ? null : this.#open()
    // Its memory must not grow under a batch that lies in it.
    if (opened === null || (inPlace && source.count > opened.memory.rowsMax)) {
      this.wholeBatchesByJson++
      return this.#json.decode(source, refuse)
    }
    const { memory, templates } = opened
    const { count } = source
    const batch = this.#batch
    this.#dictionaries.forEach((dictionary, number) => {
      if (dictionary.generation === this.#generations[number]) return
      this.#generations[number] = dictionary.generation
      memory.functions.forget(number)
    })
    if (!inPlace) {
      memory.makeRoom(high - low, count)
      memory.bytes.set(source.bytes.subarray(low, high), memory.input)
      memory.bytes.fill(0, memory.input + high - low, memory.input + high - low + SLACK_BYTES)
    }
    const { input, starts, ends, arrivals, times, records } = memory
    starts.set(source.starts.subarray(0, count))
    ends.set(source.ends.subarray(0, count))
    const limited = Number.isFinite(this.#futureLimitMs)
    if (limited) arrivals.set(source.arrivals.subarray(0, count))
    batch.partition = source.partition
    batch.times = times
    batch.records = records
    this.#source = source
    this.#refuse = refuse
    batch.rows = memory.functions.decode(
      count,
      starts.byteOffset,
      ends.byteOffset,
      inPlace ? source.bytes.byteOffset : input - low,
      limited ? arrivals.byteOffset : 0,
      this.#futureLimitMs,
      times.byteOffset,
      records.byteOffset,
    )
    this.#source = null
    templates.reorder()
    const shift = inPlace ? source.bytes.byteOffset : input - low
    this.#finish(source, memory, low + shift, high + shift)
    return batch
  }

  memory(): DecoderMemory | null {
    return this.#open()?.memory ?? null
  }

  #open(): Opened | null {
    if (this.#opened !== undefined) return this.#opened
    const { contract, projections } = this.#settings
    const memory = new KernelMemory(
      this.#module,
      {
        fallback: (record, row) => this.#fallback(record, row),
        newId: (dictionary, text, length) => this.#newId(dictionary, text, length),
      },
      this.#batch.columns,
    )
    const table = fieldTable(memory, contract, projections)
    this.#opened = table === null ? null : { memory, templates: new Templates(memory, table) }
    return this.#opened
  }

  /** What the kernel does not need to know: offsets, and where texts lie. `low`, `high`: of all records' bytes. */
  #finish(source: SourceBatch, memory: KernelMemory, low: number, high: number): void {
    const batch = this.#batch
    const { rows } = batch
    batch.watermarks = grownFloats(batch.watermarks, rows)
    batch.offsets = grownFloats(batch.offsets, rows)
    if (rows === source.count) batch.offsets.set(source.offsets.subarray(0, rows))
    else for (let row = 0; row < rows; row++) batch.offsets[row] = source.offsets[batch.records[row]!]!
    this.#fillPseudo(batch, source)
    for (let i = 0; i < batch.columns.length; i++) {
      const column = batch.columns[i]!
      const texts = memory.texts[i]
      if (column.kind !== 'text' || !texts) continue
      const [starts, lengths] = texts
      column.slices = { memory: memory.bytes, starts, lengths, low, high }
    }
  }
  #text(memory: KernelMemory, address: number, length: number): string {
    return this.#utf8.decode(memory.bytes.subarray(address, address + length))
  }

  #newId(number: number, text: number, length: number): number {
    const dictionary = this.#dictionaries[number]
    assert(this.#opened && dictionary !== undefined, `the kernel has no dictionary ${number}`)
    return dictionary.idOf(this.#text(this.#opened.memory, text, length))
  }

  /** The record through JSON: 1 if it is row `row` now. */
  #fallback(record: number, row: number): number {
    const [source, opened] = [this.#source, this.#opened]
    assert(source !== null && opened, 'a batch is in work')
    const one = {
      topic: source.topic,
      partition: source.partition,
      bytes: source.bytes,
      count: 1,
      starts: source.starts.subarray(record, record + 1),
      ends: source.ends.subarray(record, record + 1),
      offsets: source.offsets.subarray(record, record + 1),
      arrivals: source.arrivals.subarray(record, record + 1),
    }
    const read = this.#json.decode(one, (refusal) => this.#refuse({ ...refusal, record }))
    if (read.rows === 0) return 0
    const batch = this.#batch
    batch.times[row] = read.times[0]!
    for (let i = 0; i < batch.columns.length; i++) {
      const [to, from] = [batch.columns[i]!, read.columns[i]!]
      if (to.kind === 'number' && from.kind === 'number') to.values[row] = from.values[0]!
      else if (to.kind === 'id' && from.kind === 'id') to.values[row] = from.values[0]!
      else if (to.kind === 'text' && from.kind === 'text') {
        to.values[row] = from.values[0] ?? null
        opened.memory.texts[i]![0][row] = IN_VALUES
      }
    }
    this.jsonRows++
    opened.templates.learn(source.bytes, source.starts[record]!, source.ends[record]!)
    return 1
  }
}

/** The range of bytes that the records lie in. */
function bounds({ count, starts, ends }: SourceBatch): readonly [number, number] {
  let low = 0x7fffffff
  let high = 0
  for (let i = 0; i < count; i++) {
    const start = starts[i]!
    if (start < 0) continue
    if (start < low) low = start
    if (ends[i]! > high) high = ends[i]!
  }
  return low < high ? [low, high] : [0, 0]
}
