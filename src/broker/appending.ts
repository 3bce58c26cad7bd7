// From a producer's batch to a place in a partition: checked once, judged by its producer's window, placed, taken back.
import { LogError } from '../log/log.ts'
import { crc32c } from '../std/crc32c.ts'
import {
  baseSequence,
  checkBatch,
  checkRecords,
  codecOf,
  hasProducer,
  isControl,
  lastOffsetDelta,
  maxTimestampMs,
  producerEpoch,
  producerId,
  recordSlots,
  recordsOf,
  walkRecords,
} from '../wire/record-batch.ts'
import { WireError } from '../wire/wire-error.ts'
import { writeU32 } from './journal/big-endian.ts'
import { entryKind } from './journal/entry.ts'
import type { NewEntry } from './journal/new-entry.ts'
import type { Partition } from './partition.ts'
import type { ProducerIds } from './producer-ids.ts'
import { judgeBatch, type KeptBatch, lastSequenceOf, withBatch } from './producer-window.ts'
import type { Topic } from './topic-table.ts'
import { placeInTransaction } from './transactions/placing.ts'
import type { TransactionTable } from './transactions/table.ts'

/** Throws a LogError: CORRUPT_MESSAGE, INVALID_RECORD, MESSAGE_TOO_LARGE, KAFKA_STORAGE_ERROR. Returns what to store. */
export function checkedBatch(topic: Topic, partition: Partition, batch: Uint8Array, nowMs: number): Uint8Array {
  if (topic.state !== 'live') {
    throw new LogError('UNKNOWN_TOPIC_OR_PARTITION', `topic ${topic.info.name} is being deleted`)
  }
  if (partition.damage !== null) throw new LogError('KAFKA_STORAGE_ERROR', partition.damage)
  if (batch.length > topic.messageBytesMax) {
    const message = `a batch of ${batch.length} bytes; max.message.bytes of ${topic.info.name} is ${topic.messageBytesMax}`
    throw new LogError('MESSAGE_TOO_LARGE', message)
  }
  // The records of a compressed batch are its consumers' to check: it is stored as it came.
  const problem = checkBatch(batch) ?? (codecOf(batch) === 'none' ? checkRecords(batch) : null)
  if (problem !== null) throw new LogError(problem.code, problem.message)
  if (topic.compacted) refuseKeyless(topic, batch)
  return topic.appendTime ? withAppendTime(batch, nowMs) : batch
}

const slots = recordSlots(256)
/** Of a record without a key nobody could say which others it replaces (Kafka refuses the batch, too). */
function refuseKeyless(topic: Topic, batch: Uint8Array): void {
  try {
    const { bytes, start, end } = recordsOf(batch)
    for (let at = start; at < end; ) {
      at = walkRecords(bytes, at, end, slots)
      for (let row = 0; row < slots.count; row++) {
        if (slots.keyStart[row]! >= 0) continue
        const message = `${topic.info.name} is compacted (cleanup.policy): its records need keys, and record ${slots.offsetDelta[row]} of the batch has none`
        throw new LogError('INVALID_RECORD', message)
      }
    }
  } catch (error) {
    // Compressed records that cannot be read have no keys that could be looked at, ever.
    if (error instanceof WireError) throw new LogError('INVALID_RECORD', error.message, { cause: error })
    throw error
  }
}

/** A copy whose records carry the broker's time (attribute bit 3, largest timestamp, new checksum). */
function withAppendTime(batch: Uint8Array, nowMs: number): Uint8Array {
  // Not `slice`: what comes from a socket may be a Buffer, whose slice is a view of the same memory.
  const stamped = new Uint8Array(batch)
  stamped[22]! |= 0x08
  new DataView(stamped.buffer).setBigInt64(35, BigInt(nowMs))
  writeU32(stamped, 17, crc32c(stamped, 21))
  return stamped
}

/** The producer's fields of a batch; null without an idempotent producer. */
interface Produced {
  readonly id: number
  readonly epoch: number
  readonly firstSequence: number
  readonly lastSequence: number
}
function producedOf(batch: Uint8Array): Produced | null {
  // The markers of transactions have no sequence.
  if (!hasProducer(batch) || isControl(batch)) return null
  const id = producerId(batch)
  if (id > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new LogError('INVALID_RECORD', `producer id ${id}; no broker of ours gives out ids above 2^53`)
  }
  const firstSequence = baseSequence(batch)
  return {
    id: Number(id),
    epoch: producerEpoch(batch),
    firstSequence,
    lastSequence: lastSequenceOf(firstSequence, lastOffsetDelta(batch)),
  }
}

/** The batch that this one repeats, or null if it is to be appended. Throws a LogError if its producer may not. */
export function judgeProducer(partition: Partition, producers: ProducerIds, batch: Uint8Array): KeptBatch | null {
  const produced = producedOf(batch)
  if (produced === null) return null
  const { id, epoch, firstSequence, lastSequence } = produced
  const raised = producers.epoch(id)
  if (epoch < raised) {
    throw new LogError('INVALID_PRODUCER_EPOCH', `producer ${id} is at epoch ${raised}, the batch is of epoch ${epoch}`)
  }
  const judged = judgeBatch(partition.window(id), epoch, firstSequence, lastSequence)
  if (judged.verdict === 'duplicate') return judged.of
  if (judged.verdict === 'refuse') {
    throw new LogError(judged.code, `producer ${id}, partition ${partition.id}: ${judged.message}`)
  }
  return null
}

export function batchEntry(partition: Partition, batch: Uint8Array, baseOffset: number): NewEntry {
  const { topicKey, id } = partition
  return {
    kind: entryKind.batch,
    topicKey,
    partition: id,
    payload: batch,
    baseOffset,
    leaderEpoch: partition.currentEpoch,
  }
}

/** Notes the batch in index and window, right after it was taken by the journal (or met in a replay). */
export function placeBatch(
  partition: Partition,
  { producers, transactions }: { readonly producers: ProducerIds; readonly transactions: TransactionTable },
  batch: Uint8Array,
  bytes: number,
  place: { readonly lsn: number; readonly appendedMs: number; readonly segment: number; readonly position: number },
): () => void {
  const { lsn, appendedMs, segment, position } = place
  const baseOffset = partition.nextOffset
  const lastOffset = baseOffset + lastOffsetDelta(batch)
  partition.placed(lastOffset, lsn, maxTimestampMs(batch), segment, position, bytes)
  const leave = placeInTransaction(transactions, partition, batch, baseOffset, place)
  const produced = producedOf(batch)
  if (produced === null) {
    return () => {
      leave()
      partition.takenBack(baseOffset)
    }
  }
  const { id, epoch, firstSequence, lastSequence } = produced
  const before = partition.window(id)
  const epochBefore = producers.epoch(id)
  producers.seen(id, 0)
  partition.setWindow(id, withBatch(before, epoch, { firstSequence, lastSequence, baseOffset, lsn, appendedMs }))
  if (epoch > epochBefore) producers.setEpoch(id, epoch)
  return () => {
    leave()
    partition.takenBack(baseOffset)
    partition.setWindow(id, before)
    if (epoch > epochBefore) producers.setEpoch(id, epochBefore)
  }
}
