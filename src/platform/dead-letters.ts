// Dead letters: what was refused, with its reason and where it stood; and the way back into its topic once it is fixed.
// A letter goes back once: what was sent is remembered in the same commit as the record itself, in the topic
// `millrace.replayed` (compacted, one partition), a record for each:
//
//   key ["<topic>",<partition>,<offset>] of the record that failed     value {"v":1,"atMs":…,"attempt":…}
//
// Changing this needs a format version.
import { contracts } from '../commerce/commerce.ts'
import { ensureTopic } from '../connect/connect.ts'
import { openRecordCheck } from '../engine/engine.ts'
import type { Commit, Log } from '../log/log.ts'
import type { DeadLetterFilter, DeadLetterRow, DeadLettersPort, ReplayOutcome } from '../serve/books-ports.ts'
import { entryOf } from '../std/maps.ts'
import { offset as offsetOf, partitionId } from '../std/units.ts'
import { BatchWriter } from '../wire/batch-writer.ts'
import { partitionOfKey } from '../wire/partitioner.ts'
import {
  baseOffset,
  baseTimestampMs,
  isAppendTime,
  maxTimestampMs,
  recordHeaders,
  recordSlots,
  recordsOf,
  walkRecords,
} from '../wire/record-batch.ts'
import type { World } from '../world/world.ts'

const replayedTopic = 'millrace.replayed'
const replayJob = 'dead-letters'
const suffix = '.dlq'
const readBytes = 1 << 20
/** Looked at in a partition: the newest. */
const scannedMax = 100_000
/** Of one commit. */
const lettersAtOnce = 500
const formatVersion = 1
const encoder = new TextEncoder()
const decoder = new TextDecoder()

interface Letter extends DeadLetterRow {
  readonly value: Uint8Array
}

/** Of the log of a house, whether its jobs run or not. */
export function deadLettersOf(world: World, log: Log): DeadLettersPort {
  return {
    async list(filter, rowsMax) {
      const replayed = await replayedIn(log)
      const found: DeadLetterRow[] = []
      let matching = 0
      const counts = new Map<
        string,
        { topic: string; reason: string; rule: string; version: number; records: number }
      >()
      for await (const { value: _, ...letter } of letters(log, filter)) {
        matching++
        const { topic, reason, rule, version } = letter
        entryOf(counts, JSON.stringify([topic, reason, rule, version]), () => ({
          ...{ topic, reason, rule, version },
          records: 0,
        })).records++
        found.push({ ...letter, replayed: replayed.has(keyOf(letter)) })
        if (found.length > 2 * rowsMax) newest(found, rowsMax)
      }
      newest(found, rowsMax)
      return { matching, counts: [...counts.values()], letters: found }
    },
    async show(topic, partition, offset) {
      for await (const letter of letters(log, { topic }, { partition, offset })) {
        const { value, ...row } = letter
        const replayed = (await replayedIn(log)).has(keyOf(row))
        return { ...row, replayed, value: shown(value) }
      }
      return null
    },
    replay: (filter, how) => replay(world, log, filter, how),
  }
}

function newest(rows: DeadLetterRow[], rowsMax: number): void {
  rows.sort((a, b) => b.keptMs - a.keptMs || b.offset - a.offset)
  rows.length = Math.min(rows.length, rowsMax)
}
function keyOf({ topic, original }: Pick<DeadLetterRow, 'topic' | 'original'>): string {
  return JSON.stringify([topic, original.partition, original.offset])
}
function shown(value: Uint8Array): { readonly text: string; readonly encoding: 'utf-8' | 'base64' } {
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(value), encoding: 'utf-8' }
  } catch {
    return { text: Buffer.from(value).toString('base64'), encoding: 'base64' }
  }
}

/** Letters that match, partition by partition, oldest first. `only`: the one at this place among the dead letters. */
async function* letters(
  log: Log,
  filter: DeadLetterFilter,
  only: { readonly partition: number; readonly offset: number } | null = null,
): AsyncGenerator<Letter> {
  const slots = recordSlots(512)
  for (const { name, partitions } of log.topics()) {
    if (!name.endsWith(suffix)) continue
    const topic = name.slice(0, -suffix.length)
    if (filter.topic !== undefined && filter.topic !== topic) continue
    for (let partition = 0; partition < partitions; partition++) {
      if (only !== null && only.partition !== partition) continue
      const { start, end } = log.offsets(name, partitionId(partition))
      const first = only === null ? Math.max(start, end - scannedMax) : only.offset
      if (first < start) continue
      for (let from = first; from < (only === null ? end : Math.min(end, first + 1)); ) {
        const { batches, next } = await log.readCommitted(name, partitionId(partition), offsetOf(from), readBytes)
        for (const batch of batches) {
          const records = recordsOf(batch)
          const appendMs = isAppendTime(batch) ? maxTimestampMs(batch) : null
          for (let at = records.start; at < records.end; ) {
            at = walkRecords(records.bytes, at, records.end, slots)
            for (let row = 0; row < slots.count; row++) {
              const offset = baseOffset(batch) + slots.offsetDelta[row]!
              if (offset < from || (only !== null && offset !== only.offset)) continue
              const [begin, to] = [slots.valueStart[row]!, slots.valueEnd[row]!]
              const letter = letterOf({
                topic,
                partition,
                offset,
                keptMs: appendMs ?? baseTimestampMs(batch) + slots.timestampDelta[row]!,
                value: begin < 0 ? new Uint8Array(0) : records.bytes.slice(begin, to),
                headers: new Map(
                  recordHeaders(records.bytes, slots.headersStart[row]!).map(({ name: header, value }) => [
                    header,
                    value === null ? '' : decoder.decode(value),
                  ]),
                ),
              })
              if (matches(letter, filter)) yield letter
            }
          }
        }
        if (next === from) break
        from = next
      }
    }
  }
}
function letterOf(found: {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly keptMs: number
  readonly value: Uint8Array
  readonly headers: ReadonlyMap<string, string>
}): Letter {
  const { headers, value, ...place } = found
  const text = (name: string): string => headers.get(`dlq.${name}`) ?? ''
  const number = (name: string): number => {
    const said = Number(headers.get(`dlq.${name}`) ?? Number.NaN)
    return Number.isSafeInteger(said) ? said : -1
  }
  return {
    ...place,
    bytes: value.length,
    reason: text('reason'),
    rule: text('rule'),
    message: text('message'),
    original: {
      partition: number('original.partition'),
      offset: number('original.offset'),
      timestampMs: number('original.timestamp'),
    },
    version: number('schema.version'),
    attempt: Math.max(1, number('attempt')),
    replayed: false,
    value,
  }
}
function matches(letter: Letter, { reason, rule, sinceMs, untilMs }: DeadLetterFilter): boolean {
  return (
    (reason === undefined || letter.reason === reason) &&
    (rule === undefined || letter.rule === rule) &&
    (sinceMs === undefined || letter.keptMs >= sinceMs) &&
    (untilMs === undefined || letter.keptMs < untilMs)
  )
}

/** Keys of what went back already. */
async function replayedIn(log: Log): Promise<ReadonlySet<string>> {
  const keys = new Set<string>()
  if (log.topic(replayedTopic) === null) return keys
  const slots = recordSlots(512)
  const { start, end } = log.offsets(replayedTopic, partitionId(0))
  for (let from: number = start; from < end; ) {
    const { batches, next } = await log.readCommitted(replayedTopic, partitionId(0), offsetOf(from), readBytes)
    for (const batch of batches) {
      const records = recordsOf(batch)
      for (let at = records.start; at < records.end; ) {
        at = walkRecords(records.bytes, at, records.end, slots)
        for (let row = 0; row < slots.count; row++)
          keys.add(decoder.decode(records.bytes.subarray(slots.keyStart[row]!, slots.keyEnd[row]!)))
      }
    }
    if (next === from) break
    from = next
  }
  return keys
}

type How = Parameters<DeadLettersPort['replay']>[1]
async function replay(world: World, log: Log, filter: DeadLetterFilter, how: How): Promise<ReplayOutcome> {
  const outcome = { dryRun: how.dryRun, found: 0, sent: 0, already: 0, stillBad: 0, topics: new Map<string, number>() }
  if (!how.dryRun)
    await ensureTopic(log, {
      name: replayedTopic,
      partitions: 1,
      configs: { 'cleanup.policy': 'compact' },
      internal: true,
    })
  // Taking the job over puts whoever replays at the same time out of action: nothing can go back twice.
  const owner = how.dryRun ? null : await log.takeJob(replayJob)
  let previous = owner?.cursor ?? log.origin()
  const replayed = await replayedIn(log)
  const seen = new Set<string>()
  let chunk: { readonly letter: Letter; readonly value: Uint8Array; readonly key: Uint8Array | null }[] = []
  const send = async (): Promise<void> => {
    if (owner === null || chunk.length === 0) return
    const cursor = log.now()
    const appends = appendsOf(log, chunk, world.clock.nowMs())
    await log.commit({ job: replayJob, epoch: owner.epoch, previous, cursor, appends })
    previous = cursor
    chunk = []
  }
  for await (const letter of letters(log, filter)) {
    outcome.found++
    const key = keyOf(letter)
    if (replayed.has(key) || seen.has(key)) {
      outcome.already++
      continue
    }
    seen.add(key)
    const value = how.set === null ? letter.value : withFields(letter.value, how.set)
    const judged = judge(letter.topic, value, world.clock.nowMs())
    if (!judged.stands && !how.all) {
      outcome.stillBad++
      continue
    }
    outcome.sent++
    outcome.topics.set(letter.topic, (outcome.topics.get(letter.topic) ?? 0) + 1)
    chunk.push({ letter, value, key: judged.key })
    if (chunk.length >= lettersAtOnce) await send()
  }
  await send()
  return {
    ...outcome,
    topics: [...outcome.topics].map(([topic, records]) => ({ topic, records })),
  }
}

/** By the topic's contract of today. A topic without one takes what it is given. */
function judge(topic: string, value: Uint8Array, nowMs: number): { stands: boolean; key: Uint8Array | null } {
  const contract = contracts.get(topic)
  if (contract === undefined) return { stands: true, key: null }
  let judged: { stands: boolean; key: Uint8Array | null } = { stands: false, key: null }
  openRecordCheck(contract, contract.key).check(
    {
      topic,
      partition: 0,
      bytes: value,
      count: 1,
      starts: Int32Array.of(0),
      ends: Int32Array.of(value.length),
      offsets: Float64Array.of(0),
      arrivals: Float64Array.of(nowMs),
    },
    (_record, text) => {
      judged = { stands: true, key: text === null ? null : encoder.encode(text) }
    },
    () => {},
  )
  return judged
}

/** The JSON object with these fields in place of its own; what is no object stays as it is. */
function withFields(value: Uint8Array, set: Readonly<Record<string, unknown>>): Uint8Array {
  try {
    const said: unknown = JSON.parse(decoder.decode(value))
    if (typeof said !== 'object' || said === null || Array.isArray(said)) return value
    return encoder.encode(JSON.stringify({ ...said, ...set }))
  } catch (error) {
    if (error instanceof SyntaxError) return value
    throw error
  }
}

function appendsOf(
  log: Log,
  chunk: readonly { readonly letter: Letter; readonly value: Uint8Array; readonly key: Uint8Array | null }[],
  nowMs: number,
): Commit['appends'] {
  const writers = new Map<
    string,
    { readonly topic: string; readonly partition: number; readonly writer: BatchWriter }
  >()
  const done = new BatchWriter()
  for (const { letter, value, key } of chunk) {
    const { topic, original, attempt, reason, rule } = letter
    const partitions = log.topic(topic)?.partitions ?? 1
    const partition =
      key === null ? Math.min(Math.max(0, original.partition), partitions - 1) : partitionOfKey(key, partitions)
    const lane = entryOf(writers, `${topic}/${partition}`, () => ({ topic, partition, writer: new BatchWriter() }))
    const header = (name: string, text: string) => ({ name: `dlq.${name}`, value: encoder.encode(text) })
    // A new arrival: it comes in now, and what was too far ahead then may be in time.
    lane.writer.append(key, value, nowMs, [
      header('attempt', String(attempt + 1)),
      header('reason', reason),
      header('rule', rule),
      header('original.topic', topic),
      header('original.partition', String(original.partition)),
      header('original.offset', String(original.offset)),
    ])
    const about = JSON.stringify({ v: formatVersion, atMs: nowMs, attempt: attempt + 1 })
    done.append(encoder.encode(keyOf(letter)), encoder.encode(about), nowMs)
  }
  return [
    ...[...writers.values()].map(({ topic, partition, writer }) => ({
      topic,
      partition: partitionId(partition),
      batch: writer.finish(),
    })),
    { topic: replayedTopic, partition: partitionId(0), batch: done.finish() },
  ]
}
