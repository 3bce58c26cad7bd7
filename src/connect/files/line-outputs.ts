// Lines of files as records: those that keep their topic's contract go to the topic, under the contract's key; the others
// to its dead letters, with their bytes, the reason, and where they stand.
import { openRecordCheck } from '../../engine/engine.ts'
import type { Commit, Log } from '../../log/log.ts'
import type { Contract } from '../../query/contract.ts'
import { entryOf } from '../../std/maps.ts'
import { partitionId } from '../../std/units.ts'
import { BatchWriter } from '../../wire/batch-writer.ts'
import { partitionOfKey } from '../../wire/partitioner.ts'
import type { RecordHeader } from '../../wire/record-batch.ts'
import { deadLetterTopic } from '../outputs.ts'
import type { LinePortion } from './lines.ts'

export interface LineOutputs {
  /** Judges the lines of a portion; they are copied. `file`: its name, for people. */
  add(file: string, portion: LinePortion): void
  readonly bytes: number
  readonly records: number
  readonly deadLetters: number
  /** Everything added, as the appends of one commit; empty again. */
  take(): Commit['appends']
}

/** A batch is closed at this size; well below what topics take in one. */
const batchBytes = 512 * 1024
/** Of a batch around one record, at most: header, lengths, times. */
const overheadBytes = 128
const takenBytesDefault = 1_048_588
const checkedAtOnce = 4096
const encoder = new TextEncoder()

interface Refused {
  readonly reason: string
  readonly field: string
  readonly message: string
}

/** Without a contract any line that is JSON stands, and the lines of a file keep together in a partition. */
export function lineOutputs(log: Log, topic: string, contract: Contract | null, nowMs: () => number): LineOutputs {
  const info = log.topic(topic)
  const partitions = info?.partitions ?? 1
  const recordBytesMax = Number(info?.configs['max.message.bytes'] ?? takenBytesDefault)
  const deadLettersTo = deadLetterTopic(topic)
  const check = contract === null ? null : openRecordCheck(contract, contract.key)
  const writers = new Map<
    string,
    { readonly topic: string; readonly partition: number; readonly writer: BatchWriter }
  >()
  let closed: { topic: string; partition: ReturnType<typeof partitionId>; batch: Uint8Array }[] = []
  let bytes = 0
  let records = 0
  let deadLetters = 0

  const record = (
    to: string,
    partition: number,
    key: Uint8Array | null,
    value: Uint8Array,
    headers: readonly RecordHeader[],
  ): void => {
    const lane = entryOf(writers, `${to}/${partition}`, () => ({ topic: to, partition, writer: new BatchWriter() }))
    if (lane.writer.count > 0 && lane.writer.sizeBytes + value.length > batchBytes) {
      closed.push({ topic: to, partition: partitionId(partition), batch: lane.writer.finish() })
    }
    lane.writer.append(key, value, nowMs(), headers)
    bytes += value.length + overheadBytes
  }
  const refuse = (file: string, line: number, value: Uint8Array, { reason, field, message }: Refused): void => {
    deadLetters++
    const header = (name: string, text: string): RecordHeader => ({ name, value: encoder.encode(text) })
    record(
      deadLettersTo,
      partitionOfKey(encoder.encode(file), log.topic(deadLettersTo)?.partitions ?? 1),
      null,
      value,
      [
        header('dlq.reason', reason),
        header('dlq.rule', field),
        header('dlq.message', message),
        header('dlq.original.topic', topic),
        header('dlq.original.file', file),
        header('dlq.original.line', String(line)),
        header('dlq.schema.version', String(contract?.version ?? 0)),
        header('dlq.attempt', '1'),
      ],
    )
  }
  const stand = (file: string, line: number, key: Uint8Array | null, value: Uint8Array): void => {
    const needed = value.length + (key?.length ?? 0) + overheadBytes
    if (needed > recordBytesMax) {
      const message = `the record needs ${needed} bytes, the topic takes ${recordBytesMax}`
      refuse(file, line, value, { reason: 'too-large', field: '', message })
      return
    }
    records++
    record(topic, partitionOfKey(key ?? encoder.encode(file), partitions), key, value, [])
  }

  return {
    add(file, { bytes: held, starts, ends, numbers, overlong }) {
      for (let from = 0; from < starts.length; from += checkedAtOnce) {
        const count = Math.min(checkedAtOnce, starts.length - from)
        const lineAt = (i: number): Uint8Array => held.subarray(starts[from + i], ends[from + i])
        if (check === null) {
          for (let i = 0; i < count; i++) {
            const problem = jsonProblem(lineAt(i))
            if (problem === null) stand(file, numbers[from + i]!, null, lineAt(i))
            else refuse(file, numbers[from + i]!, lineAt(i), { reason: 'not-json', field: '', message: problem })
          }
          continue
        }
        const keys = new Array<string | null | undefined>(count)
        const refusals = new Map<number, Refused>()
        check.check(
          {
            topic,
            partition: 0,
            bytes: held,
            count,
            starts: Int32Array.from(starts.slice(from, from + count)),
            ends: Int32Array.from(ends.slice(from, from + count)),
            offsets: new Float64Array(count),
            arrivals: new Float64Array(count).fill(nowMs()),
          },
          (i, key) => {
            keys[i] = key
          },
          ({ record: i, reason, field, message }) => refusals.set(i, { reason, field, message }),
        )
        for (let i = 0; i < count; i++) {
          const refusal = refusals.get(i)
          const key = keys[i]
          if (refusal !== undefined) refuse(file, numbers[from + i]!, lineAt(i), refusal)
          else stand(file, numbers[from + i]!, typeof key === 'string' ? encoder.encode(key) : null, lineAt(i))
        }
      }
      for (const { number, beginning, sizeBytes } of overlong) {
        const message = `the line has ${sizeBytes} bytes, more than a record may; these are its first ${beginning.length}`
        refuse(file, number, beginning, { reason: 'too-long', field: '', message })
      }
    },
    get bytes() {
      return bytes
    },
    get records() {
      return records
    },
    get deadLetters() {
      return deadLetters
    },
    take() {
      const appends = closed
      for (const { topic: to, partition, writer } of writers.values()) {
        if (writer.count > 0) appends.push({ topic: to, partition: partitionId(partition), batch: writer.finish() })
      }
      closed = []
      bytes = 0
      records = 0
      deadLetters = 0
      return appends
    },
  }
}

function jsonProblem(value: Uint8Array): string | null {
  try {
    JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(value))
    return null
  } catch (error) {
    return error instanceof SyntaxError ? error.message : 'it is not UTF-8'
  }
}
