// Records from HTTP into the log: judged by their contract as the engine would, gathered by partition, appended in one
// atomic commit. A request under an idempotency key leaves its key in the same commit.
import { ensureTopic, lastRows } from '../connect/connect.ts'
import { openRecordCheck, type RecordCheck } from '../engine/engine.ts'
import { type Commit, type Log, LogError } from '../log/log.ts'
import type { Contract } from '../query/contract.ts'
import type { IngestOutcome, IngestPort, IngestRequest, IngestResult } from '../serve/ports.ts'
import { assert } from '../std/assert.ts'
import { entryOf } from '../std/maps.ts'
import { type PartitionId, partitionId } from '../std/units.ts'
import { BatchWriter } from '../wire/batch-writer.ts'
import { partitionOfKey } from '../wire/partitioner.ts'
import type { World } from '../world/world.ts'
import { type KeyEntry, keptText, keyTable, type Placement } from './ingest-keys.ts'

export interface IngestSettings {
  /** Bytes taken and not yet durable; beyond it requests are told to come later. */
  readonly waitingBytesMax: number
  /** Keys remembered; beyond it the oldest are forgotten before their time. */
  readonly keysMax: number
  readonly keyMsMax: number
}
export const ingestDefaults: IngestSettings = {
  waitingBytesMax: 32 * 1024 * 1024,
  keysMax: 20_000,
  keyMsMax: 24 * 60 * 60 * 1000,
}
export interface Ingest extends IngestPort {
  /** Records turned away since the start, by topic and reason. */
  rejected(): readonly { readonly topic: string; readonly reason: string; readonly records: number }[]
}

/** Internal: where keys outlive the process. Named with two underscores, so listings leave it out. */
export const ingestKeysTopic = '__http_ingest_keys'
const job = 'http-ingest'
/** Records judged between two looks at the world: some ten milliseconds at most. */
const recordsAtOnce = 1_000
/** A batch is closed at this size; well below what topics take in one. */
const batchBytes = 512 * 1024
/** Of a batch around one record, at most: header, lengths, times. */
const batchOverheadBytes = 128

type Verdict =
  | { readonly kind: 'stands'; readonly partition: number; readonly key: Uint8Array | null }
  | { readonly kind: 'refused'; readonly reason: string; readonly field: string; readonly message: string }

const encoder = new TextEncoder()

export async function openIngest(
  world: World,
  log: Log,
  contracts: ReadonlyMap<string, Contract>,
  settings: IngestSettings = ingestDefaults,
): Promise<Ingest> {
  await ensureTopic(log, {
    name: ingestKeysTopic,
    partitions: 1,
    configs: { 'retention.ms': String(settings.keyMsMax) },
  })
  const keys = keyTable({ keysMax: settings.keysMax, ageMsMax: settings.keyMsMax })
  // Each key has two records.
  for (const row of await lastRows(log, ingestKeysTopic, 2 * settings.keysMax)) keys.restore(row, world.clock.nowMs())

  // A commit needs a job with a place in the log. This one reads nothing, so its place is where the log stood at the
  // start and stays there: commits under way at the same time do not wait for each other.
  const taken = await log.takeJob(job)
  const cursor = log.now()
  await log.commit({ job, epoch: taken.epoch, previous: taken.cursor, cursor, appends: [] })
  const commit = (appends: Commit['appends']) =>
    log.commit({ job, epoch: taken.epoch, previous: cursor, cursor, appends })

  const checks = new Map<string, RecordCheck>()
  const rejected = new Map<string, Map<string, number>>()
  let waitingBytes = 0

  const judge = async ({ topic, records }: IngestRequest, arrivalMs: number): Promise<Verdict[]> => {
    const contract = contracts.get(topic)
    const info = log.topic(topic)
    assert(contract !== undefined && info !== null, `there is no topic ${topic} with a contract`)
    const check = entryOf(checks, topic, () => openRecordCheck(contract, contract.key))
    const messageBytesMax = Number(info.configs['max.message.bytes'] ?? 1_048_588)
    const verdicts = new Array<Verdict>(records.count)
    for (let from = 0; from < records.count; from += recordsAtOnce) {
      if (from > 0) await new Promise<void>((resolve) => world.clock.soon(resolve))
      const count = Math.min(recordsAtOnce, records.count - from)
      const batch = {
        topic,
        partition: 0,
        bytes: records.bytes,
        count,
        starts: records.starts.subarray(from, from + count),
        ends: records.ends.subarray(from, from + count),
        offsets: new Float64Array(count),
        arrivals: new Float64Array(count).fill(arrivalMs),
      }
      check.check(
        batch,
        (record, text) => {
          const key = text === null ? null : encoder.encode(text)
          const bytes = batch.ends[record]! - batch.starts[record]! + (key?.length ?? 0) + batchOverheadBytes
          verdicts[from + record] =
            bytes > messageBytesMax
              ? {
                  kind: 'refused',
                  reason: 'too-large',
                  field: '',
                  message: `the record needs ${bytes} bytes, the topic takes ${messageBytesMax}`,
                }
              : { kind: 'stands', key, partition: key === null ? 0 : partitionOfKey(key, info.partitions) }
        },
        ({ record, reason, field, message }) => {
          verdicts[from + record] = { kind: 'refused', reason, field, message }
        },
      )
    }
    return verdicts
  }

  /** Appends what stands; resolves with where it went when it is durable, with null when nothing stands. */
  const append = async (
    { topic, records, once }: IngestRequest,
    verdicts: readonly Verdict[],
    arrivalMs: number,
  ): Promise<Placement | null> => {
    const appends: { topic: string; partition: PartitionId; batch: Uint8Array }[] = []
    const writers = new Map<number, BatchWriter>()
    const close = (partition: number, writer: BatchWriter): void => {
      appends.push({ topic, partition: partitionId(partition), batch: writer.finish() })
    }
    for (const [i, verdict] of verdicts.entries()) {
      if (verdict.kind === 'refused') continue
      const value = records.bytes.subarray(records.starts[i], records.ends[i])
      const writer = entryOf(writers, verdict.partition, () => new BatchWriter())
      if (writer.count > 0 && writer.sizeBytes + value.length > batchBytes) close(verdict.partition, writer)
      writer.append(verdict.key, value, arrivalMs)
    }
    for (const [partition, writer] of writers) if (writer.count > 0) close(partition, writer)
    if (appends.length === 0) return null
    const { baseOffsets } = await commit(
      once === null ? appends : [...appends, keyAppend(once.key, { ...once, atMs: arrivalMs }, null)],
    )
    const lanes = new Map<number, number>()
    for (const [i, { partition }] of appends.entries()) if (!lanes.has(partition)) lanes.set(partition, baseOffsets[i]!)
    if (once !== null) {
      // The records are in and the answer is right either way: a disk that fails now is the broker's to tell, and
      // costs a later repetition no more than its offsets.
      const { topic, partition, batch } = keyAppend(once.key, { ...once, atMs: arrivalMs }, lanes)
      await log.append(topic, partition, batch).catch((error: unknown) => {
        if (!(error instanceof LogError)) throw error
      })
    }
    return { atMs: arrivalMs, lanes }
  }

  const takeNew = async (
    request: IngestRequest,
    arrivalMs: number,
  ): Promise<[readonly Verdict[], Placement | null]> => {
    const bytes = request.records.bytes.length
    waitingBytes += bytes
    try {
      const verdicts = await judge(request, arrivalMs)
      for (const verdict of verdicts)
        if (verdict.kind === 'refused') {
          const reasons = entryOf(rejected, request.topic, () => new Map<string, number>())
          reasons.set(verdict.reason, (reasons.get(verdict.reason) ?? 0) + 1)
        }
      return [verdicts, await append(request, verdicts, arrivalMs)]
    } finally {
      waitingBytes -= bytes
    }
  }

  const take = async (request: IngestRequest): Promise<IngestOutcome> => {
    const { once } = request
    const nowMs = world.clock.nowMs()
    const known = once === null ? null : keys.find(once.key, nowMs)
    if (known !== null) {
      if (known.fingerprint !== once?.fingerprint) return { kind: 'key-reused' }
      const placement = await known.placement
      return { kind: 'taken', repeated: true, results: resultsOf(await judge(request, known.atMs), placement) }
    }
    if (waitingBytes + request.records.bytes.length > settings.waitingBytesMax) return { kind: 'no-room' }
    const work = takeNew(request, nowMs)
    if (once !== null) remember(once, nowMs, work)
    const [verdicts, placement] = await work
    return { kind: 'taken', repeated: false, results: resultsOf(verdicts, placement) }
  }
  /** From now on, while it is under way too: who comes with the same key waits for the same outcome. */
  const remember = (
    { key, fingerprint }: NonNullable<IngestRequest['once']>,
    atMs: number,
    work: Promise<[unknown, Placement | null]>,
  ): void => {
    const entry: KeyEntry = { fingerprint, atMs, placement: work.then(([, placement]) => placement) }
    keys.set(key, entry)
    // What left nothing behind may be tried again, and mended, under its key.
    entry.placement.then(
      (placement) => {
        if (placement === null) keys.drop(key, entry)
      },
      () => keys.drop(key, entry),
    )
  }

  return {
    topics: [...contracts.keys()],
    async take(request) {
      try {
        return await take(request)
      } catch (error) {
        if (error instanceof LogError) return { kind: 'refused', detail: error.message }
        throw error
      }
    },
    rejected: () =>
      [...rejected].flatMap(([topic, reasons]) =>
        [...reasons].map(([reason, records]) => ({ topic, reason, records })),
      ),
  }
}

function keyAppend(
  key: string,
  entry: Pick<KeyEntry, 'fingerprint' | 'atMs'>,
  lanes: Placement['lanes'],
): Commit['appends'][number] {
  const writer = new BatchWriter({ initialBytes: 1_024 })
  writer.append(encoder.encode(key), encoder.encode(keptText(key, entry, lanes)), entry.atMs)
  return { topic: ingestKeysTopic, partition: partitionId(0), batch: writer.finish() }
}

/** What became of each record: those of a partition follow each other, batch after batch, in one commit. */
function resultsOf(verdicts: readonly Verdict[], placement: Placement | null): IngestResult[] {
  const next = new Map(placement?.lanes)
  return verdicts.map((verdict) => {
    if (verdict.kind === 'refused') {
      const { reason, field, message } = verdict
      return { accepted: false, reason, field, message }
    }
    const { partition } = verdict
    const offset = next.get(partition) ?? null
    if (offset !== null) next.set(partition, offset + 1)
    return { accepted: true, partition, offset }
  })
}
