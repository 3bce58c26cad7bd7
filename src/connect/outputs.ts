// What a job made, as record batches for the log: result rows by upsert key, late records, dead letters with their
// bytes and reasons. Gathered between commits; `take` hands all of it to one.
//
// A result record: key = the upsert key as a JSON array, value = the row as JSON with `timing` (early | on-time | late)
// added at its end, header `evidence` = [[partition, first offset, last offset], …] of the records behind it; of a
// plan over several topics each with its topic at the end.
import {
  type DeadLetter,
  type Emitted,
  encodeRecords,
  type JobOutput,
  type LateRecord,
  type ResultBatch,
} from '../engine/engine.ts'
import type { Commit, LogEntry } from '../log/log.ts'
import type { Contract } from '../query/contract.ts'
import type { Plan } from '../query/plan.ts'
import { assert } from '../std/assert.ts'
import { instantText } from '../std/instant.ts'
import { partitionOfKey, partitionOfKeyAt } from '../wire/partitioner.ts'
import type { RecordHeader } from '../wire/record-batch.ts'
import type { Clock } from '../world/world.ts'
import { Appends } from './appends.ts'
import { dirtyMark, dirtyTopic } from './dirty-windows.ts'
import { attemptHeader, ReplayedRecords } from './replayed-records.ts'

export interface ResultPlace {
  readonly topic: string
  readonly partitions: number
  /** Whether its windows that lack late records are marked (`dirty-windows.ts`). */
  readonly marked: boolean
}
export interface OutputTopics {
  /** By plan name: the topic its rows go to and how many partitions that has. A plan that is not here keeps its rows in the house. */
  readonly results: ReadonlyMap<string, ResultPlace>
  /** Topics that reactions write to, and how many partitions they have. */
  readonly emitted: ReadonlyMap<string, number>
  /** Topics whose dead letters another job keeps: two that read one topic would keep each of them twice. */
  readonly judgedElsewhere?: ReadonlySet<string>
}

export function resultTopic(plan: Plan): string {
  return plan.output.topic ?? plan.name
}
export function deadLetterTopic(topic: string): string {
  return `${topic}.dlq`
}
export function lateTopic(topic: string): string {
  return `${topic}.late`
}

export interface OutputWriter {
  add(output: JobOutput): void
  /** The batch is in the job; if its records cannot be read (`unreadable` says why) it is kept whole as one dead letter. */
  done(entry: Extract<LogEntry, { kind: 'batch' }>, unreadable: string | null): void
  /** Bytes gathered since the last `take`, about. */
  readonly pendingBytes: number
  /** Everything gathered, as the appends of one commit; the writer is empty again. */
  take(): Commit['appends']
}

const encoder = new TextEncoder()
const evidenceName = encoder.encode('evidence')

export function outputWriter(
  clock: Clock,
  topics: OutputTopics,
  contracts: ReadonlyMap<string, Contract>,
): OutputWriter {
  const gathered = new Appends()
  const replayed = new ReplayedRecords()

  const results = (batch: ResultBatch): void => {
    const to = topics.results.get(batch.plan.name)
    if (to === undefined || batch.count === 0) return
    const nowMs = clock.nowMs()
    const { bytes, ends, hasKey } = encodeRecords(batch, writtenAtJson(batch.plan, nowMs))
    const lanes = gathered.of(to.topic)
    for (let row = 0; row < batch.count; row++) {
      const start = row === 0 ? 0 : ends[row * 3 - 1]!
      const [keyEnd, valueEnd, evidenceEnd] = [ends[row * 3]!, ends[row * 3 + 1]!, ends[row * 3 + 2]!]
      const isKeyed = hasKey(row)
      const partition = isKeyed ? partitionOfKeyAt(bytes, start, keyEnd, to.partitions) : 0
      const keyStart = isKeyed ? start : -1
      // What takes a row back is a tombstone under its key.
      const valueStart = batch.weight[row] === 1 ? keyEnd : -1
      const lane = gathered.lane(lanes, partition)
      lane.writer.appendParts(bytes, keyStart, keyEnd, valueStart, valueEnd, nowMs, evidenceName, valueEnd, evidenceEnd)
      gathered.appended(lane)
    }
  }
  const deadLetter = (letter: DeadLetter): void => {
    // What a Plan of this job makes a dead letter nobody else does.
    const isOfPlan = letter.reason === 'unknown-key' || letter.reason === 'overflow'
    if (topics.judgedElsewhere?.has(letter.topic) && !isOfPlan) return
    gathered.add(deadLetterTopic(letter.topic), letter.partition, null, letter.value, letter.arrivalMs, [
      header('dlq.reason', letter.reason),
      header('dlq.rule', letter.field),
      header('dlq.message', letter.message),
      ...original(letter, contracts.get(letter.topic)),
      header(attemptHeader, String(replayed.take(letter.topic, letter.partition, letter.offset))),
    ])
  }
  const late = (lateRecord: LateRecord): void => {
    gathered.add(lateTopic(lateRecord.topic), lateRecord.partition, null, lateRecord.value, lateRecord.arrivalMs, [
      header('late.plan', lateRecord.plan),
      header('late.event-time-ms', String(lateRecord.eventTimeMs)),
      header('late.watermark-ms', String(lateRecord.watermarkMs)),
      ...original(lateRecord, contracts.get(lateRecord.topic)),
    ])
    const to = topics.results.get(lateRecord.plan)
    if (lateRecord.windows === null || to === undefined || !to.marked) return
    const { key, value } = dirtyMark(lateRecord, lateRecord.windows)
    gathered.add(dirtyTopic(to.topic), 0, encoder.encode(key), encoder.encode(value), clock.nowMs(), [])
  }

  const emitted = ({ topic, key, value }: Emitted): void => {
    const partitions = topics.emitted.get(topic)
    assert(partitions !== undefined, `topic '${topic}' is among those its reaction says it writes`)
    const keyBytes = encoder.encode(key)
    const valueBytes = value === null ? null : encoder.encode(value)
    gathered.add(topic, partitionOfKey(keyBytes, partitions), keyBytes, valueBytes, clock.nowMs(), [])
  }

  return {
    add(output) {
      for (const batch of output.results) results(batch)
      for (const letter of output.deadLetters) deadLetter(letter)
      for (const lateRecord of output.lateRecords) late(lateRecord)
      for (const one of output.emitted) emitted(one)
    },
    done(entry, unreadable) {
      const { topic, partition, baseOffset, bytes } = entry
      if (unreadable === null) replayed.note(entry)
      else
        deadLetter({
          topic,
          partition,
          offset: baseOffset,
          arrivalMs: clock.nowMs(),
          value: bytes.slice(),
          reason: 'unreadable-batch',
          field: '',
          message: `the record batch at offset ${baseOffset} cannot be read: ${unreadable}`,
        })
    },
    get pendingBytes() {
      return gathered.pendingBytes
    },
    take: () => gathered.take(),
  }
}

/** The member of a row that tells when it was written, with a comma before it; '' where the plan wants none. */
export function writtenAtJson({ output: { writtenAtColumn } }: Plan, nowMs: number): string {
  return writtenAtColumn === undefined ? '' : `,${JSON.stringify(writtenAtColumn)}:"${instantText(nowMs, true)}"`
}

/** Where the records behind a row lie, as its header says it. */
export function header(name: string, value: string): RecordHeader {
  return { name, value: encoder.encode(value) }
}

/** Where the record stood: what makes a replay of dead letters idempotent. */
function original(
  { topic, partition, offset, arrivalMs }: { topic: string; partition: number; offset: number; arrivalMs: number },
  contract: Contract | undefined,
): RecordHeader[] {
  return [
    header('dlq.original.topic', topic),
    header('dlq.original.partition', String(partition)),
    header('dlq.original.offset', String(offset)),
    header('dlq.original.timestamp', String(arrivalMs)),
    header('dlq.schema.version', String(contract?.version ?? 0)),
  ]
}
