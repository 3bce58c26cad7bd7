// What the tests of transactions share: batches of a transaction, readers of committed records as clients do it, and the
// follower's view of the same.
import assert from 'node:assert/strict'
import { crc32c } from '../../std/crc32c.ts'
import { offset, partitionId } from '../../std/units.ts'
import { baseOffset, isControl, isTransactional, lastOffset, producerId } from '../../wire/record-batch.ts'
import { batchOf, valuesOf } from '../broker.suite.ts'
import type { Broker } from '../broker.ts'
import { writeU32 } from '../journal/big-endian.ts'
import { isCommitMarker } from './control-batch.ts'
import type { ProducerClaim } from './judging.ts'

/** A batch of the producer's transaction. */
export function transactional(values: readonly string[], claim: ProducerClaim, baseSequence: number): Uint8Array {
  const producer = { producerId: BigInt(claim.producerId), producerEpoch: claim.epoch, baseSequence }
  const batch = batchOf(values, { producer })
  batch[22]! |= 0x10
  writeU32(batch, 17, crc32c(batch, 21))
  return batch
}

export interface Read {
  readonly offset: number
  readonly value: string
}
/** As a client with read_committed: up to the stable end, passing over what the lists of aborted transactions name. */
export async function readCommitted(broker: Broker, topic: string, partition: number, maxBytes = 300): Promise<Read[]> {
  const id = partitionId(partition)
  const found: Read[] = []
  const stable = broker.stable.end(topic, id)
  for (let from: number = broker.offsets(topic, id).start; from < stable; ) {
    const batches = (await broker.read(topic, id, offset(from), maxBytes)).filter((batch) => baseOffset(batch) < stable)
    const end = lastOffset(batches.at(-1)!) + 1
    const waiting = [...broker.stable.abortedIn(topic, id, offset(from), offset(end))]
    waiting.sort((a, b) => a.firstOffset - b.firstOffset)
    const aborted = new Set<number>()
    for (const batch of batches) {
      while (waiting.length > 0 && waiting[0]!.firstOffset <= lastOffset(batch))
        aborted.add(waiting.shift()!.producerId)
      const producer = Number(producerId(batch))
      if (isControl(batch)) {
        if (isCommitMarker(batch) === false) aborted.delete(producer)
      } else if (!isTransactional(batch) || !aborted.has(producer)) {
        for (const [i, value] of valuesOf(batch).entries()) found.push({ offset: baseOffset(batch) + i, value })
      }
    }
    from = end
  }
  return found
}

/** All that a follower is handed, in small pieces, going on from its cursor with a new follower now and then. */
export function followed(broker: Broker, topics: readonly string[], maxBytes: number, pieces: number): string[] {
  const values: string[] = []
  let follower = broker.follow({ job: 'reader', topics, from: broker.origin() })
  for (let polls = 1; ; polls++) {
    const entries = follower.poll(maxBytes)
    if (entries.length === 0) break
    for (const entry of entries) {
      if (entry.kind !== 'batch') continue
      assert.ok(!isControl(entry.bytes), 'markers are not handed out')
      values.push(...valuesOf(entry.bytes))
    }
    assert.equal(follower.cursor(), entries.at(-1)!.after)
    if (polls % pieces !== 0) continue
    const from = follower.cursor()
    follower.close()
    follower = broker.follow({ job: 'reader', topics, from })
  }
  follower.close()
  return values
}
