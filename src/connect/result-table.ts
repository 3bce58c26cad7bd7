// The rows of a Plan by key as they come to stand, and what has to be told so that its topic says the same.
import { encodeRecords, type ResultBatch } from '../engine/engine.ts'
import type { Log } from '../log/log.ts'
import type { Plan } from '../query/plan.ts'
import type { WindowRange } from '../query/reprocessing.ts'
import { partitionId } from '../std/units.ts'
import { partitionOfKey } from '../wire/partitioner.ts'
import type { Clock } from '../world/world.ts'
import type { Appends } from './appends.ts'
import { writtenAtJson } from './outputs.ts'
import { readRecords } from './topic-records.ts'

interface Row {
  readonly key: Uint8Array
  /** Null takes it back. */
  readonly value: Uint8Array | null
  readonly evidence: string
}

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
const timingAtEnd = /,"timing":"[a-z-]+"}$/

/** Of a Plan whose rows have keys. */
export class ResultTable {
  readonly #plan: Plan
  readonly #clock: Clock
  readonly #rows = new Map<string, Row>()
  /** What is told of its rows: when they are due, or that they correct what stood. */
  readonly #timing: string | null

  constructor(plan: Plan, clock: Clock, timing: string | null = null) {
    this.#plan = plan
    this.#clock = clock
    this.#timing = timing
  }
  /** Returns by how many bytes it grew. */
  add(batch: ResultBatch): number {
    let grown = 0
    const { bytes, ends } = encodeRecords(batch, writtenAtJson(batch.plan, this.#clock.nowMs()))
    for (let row = 0; row < batch.count; row++) {
      const start = row === 0 ? 0 : ends[row * 3 - 1]!
      const [keyEnd, valueEnd, evidenceEnd] = [ends[row * 3]!, ends[row * 3 + 1]!, ends[row * 3 + 2]!]
      const key = decoder.decode(bytes.subarray(start, keyEnd))
      const before = this.#rows.get(key)
      const made = {
        key: before?.key ?? bytes.slice(start, keyEnd),
        value: batch.weight[row] === 1 ? this.#timed(bytes.slice(keyEnd, valueEnd)) : null,
        evidence: decoder.decode(bytes.subarray(valueEnd, evidenceEnd)),
      }
      this.#rows.set(key, made)
      grown += bytesOf(made) - (before === undefined ? 0 : bytesOf(before))
    }
    return grown
  }
  #timed(value: Uint8Array): Uint8Array {
    if (this.#timing === null) return value
    return encoder.encode(decoder.decode(value).replace(timingAtEnd, `,"timing":"${this.#timing}"}`))
  }
  /**
   * Rows that are `ours` and not in the table are taken back where they stand in the topic; rows that stand there as they are
   * here, and those that are not `ours`, need not be told. `ours` is asked with the row's window; null: it has none.
   */
  async compareWith(log: Log, topic: string, ours: (windows: WindowRange | null) => boolean): Promise<void> {
    /** By key: as it is here? */
    const standing = new Map<string, boolean>()
    for (let partition = 0; partition < (log.topic(topic)?.partitions ?? 0); partition++)
      await readRecords(log, topic, partitionId(partition), (keyBytes, value) => {
        if (keyBytes === null) return
        const key = decoder.decode(keyBytes)
        if (value === null) standing.delete(key)
        else standing.set(key, sameRow(this.#rows.get(key)?.value ?? null, value))
      })
    for (const [key, { value }] of this.#rows)
      if (standing.get(key) === true || (value === null && !standing.has(key)) || !ours(windowOf(this.#plan, key)))
        this.#rows.delete(key)
    for (const [key, isSame] of standing)
      if (!isSame && !this.#rows.has(key) && ours(windowOf(this.#plan, key)))
        this.#rows.set(key, { key: encoder.encode(key), value: null, evidence: '[]' })
  }
  /** Hands its rows over; `told` is called after each. Returns how many there were. */
  tell(to: { readonly topic: string; readonly partitions: number }, appends: Appends, told: () => void): number {
    for (const { key, value, evidence } of this.#rows.values()) {
      const headers = [{ name: 'evidence', value: encoder.encode(evidence) }]
      appends.add(to.topic, partitionOfKey(key, to.partitions), key, value, this.#clock.nowMs(), headers)
      told()
    }
    return this.#rows.size
  }
}

const bytesOf = ({ key, value, evidence }: Row): number => key.length * 2 + (value?.length ?? 0) + evidence.length + 128

/** Equal but for the word that says when it was told. */
function sameRow(one: Uint8Array | null, other: Uint8Array): boolean {
  if (one === null) return false
  const text = (bytes: Uint8Array): string =>
    Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString().replace(timingAtEnd, '}')
  return text(one) === text(other)
}
/** Of a row of the Plan's result topic by its key; null: it has none. */
export function windowOf(plan: Plan, key: string): WindowRange | null {
  const changelog = plan.nodes.at(-1)?.changelog
  if (plan.output.key !== undefined || changelog?.mode !== 'upsert') return null
  const values: unknown = JSON.parse(key)
  if (!Array.isArray(values)) return null
  const [fromMs, toMs] = ['window_start', 'window_end'].map((name) => {
    const value: unknown = values[changelog.key.indexOf(name)]
    if (typeof value === 'number') return plan.output.times === 'epoch-seconds' ? value * 1000 : value
    return typeof value === 'string' ? Date.parse(value) : Number.NaN
  })
  return fromMs === undefined || toMs === undefined || Number.isNaN(fromMs) ? null : { fromMs, toMs }
}
