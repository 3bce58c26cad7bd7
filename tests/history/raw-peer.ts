// Our own plain client of the Kafka protocol, for what strangers' clients do not show: reading to the very end, committed
// offsets as they are, the list of APIs. Connects when asked, and anew after a connection broke.
import { RawClient } from '../../src/broker/server/raw-client.suite.ts'
import {
  baseOffset,
  batchBytes,
  isControl,
  isTransactional,
  lastOffset,
  producerId,
  recordCount,
  recordSlots,
  recordsOf,
  walkRecords,
} from '../../src/wire/record-batch.ts'
import type { ApiName, RequestOf, ResponseOf } from '../../src/wire/wire.ts'
import { nodeWorld } from '../../src/world/node.ts'
import type { Poll } from './history.ts'
import { provenValue } from './payload.ts'
import type { Recorder } from './recorder.ts'
import { sleep, within } from './scene.ts'
import { SequenceBook } from './sequences.ts'

const answerMsMax = 10_000
const world = nodeWorld()

export class RawPeer {
  readonly #address: { readonly host: string; readonly port: number }
  #client: RawClient | null = null
  constructor(address: string) {
    const colon = address.lastIndexOf(':')
    this.#address = { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) }
  }
  async ask<Name extends ApiName>(
    name: Name,
    version: number,
    body: Partial<RequestOf<Name>>,
  ): Promise<ResponseOf<Name>> {
    try {
      if (this.#client === null || this.#client.isClosed) this.#client = await RawClient.connect(world, this.#address)
      return await within(answerMsMax, name, this.#client.ask(name, version, body))
    } catch (error) {
      // Whatever comes later on this connection would be taken for the answer to something else.
      this.close()
      throw error
    }
  }
  close(): void {
    this.#client?.socket.destroy()
    this.#client = null
  }

  async servedKeys(): Promise<Set<number>> {
    const { apiKeys } = await this.ask('apiVersions', 0, {})
    return new Set(apiKeys.map(({ apiKey }) => apiKey))
  }

  /** The next committed records of a partition, and where to read on; nothing new: the same place again. */
  async read(
    recorder: Recorder,
    topic: string,
    partition: number,
    from: number,
    maxWaitMs: number,
    book: SequenceBook | null = null,
  ): Promise<{ readonly poll: Poll; readonly next: number; readonly end: number }> {
    const answer = await this.ask('fetch', 11, {
      maxWaitMs,
      minBytes: 1,
      maxBytes: 1 << 20,
      isolationLevel: 1,
      topics: [
        {
          topic,
          topicId: new Uint8Array(16),
          partitions: [
            {
              partition,
              fetchOffset: from,
              partitionMaxBytes: 1 << 20,
              currentLeaderEpoch: -1,
              lastFetchedEpoch: -1,
              logStartOffset: -1,
              replicaDirectoryId: new Uint8Array(16),
              highWatermark: 0,
            },
          ],
        },
      ],
    })
    const found = answer.responses[0]!.partitions[0]!
    if (found.errorCode !== 0) throw new Error(`fetch of ${topic}/${partition} from ${from}: error ${found.errorCode}`)
    const offsets: number[] = []
    const values: number[] = []
    const aborted = [...(found.abortedTransactions ?? [])].sort((a, b) => a.firstOffset - b.firstOffset)
    const abortedNow = new Set<bigint>()
    const bytes = found.records ?? new Uint8Array(0)
    let next = from
    for (
      let at = 0;
      at + 12 <= bytes.length && at + batchBytes(bytes, at) <= bytes.length;
      at += batchBytes(bytes, at)
    ) {
      const batch = bytes.subarray(at, at + batchBytes(bytes, at))
      next = lastOffset(batch) + 1
      book?.note(`${topic}/${partition}`, batch)
      while (aborted.length > 0 && aborted[0]!.firstOffset <= lastOffset(batch)) {
        abortedNow.add(BigInt(aborted.shift()!.producerId))
      }
      if (isControl(batch)) {
        // A commit marker leaves the set as it is: only aborted transactions were in the list.
        abortedNow.delete(producerId(batch))
        continue
      }
      if (isTransactional(batch) && abortedNow.has(producerId(batch))) continue
      for (const { offset, value } of recordsIn(batch)) {
        if (offset < from) continue
        offsets.push(offset)
        values.push(value)
      }
    }
    const key = recorder.keyOf(topic, partition)
    return { poll: { key, offsets, values }, next, end: found.highWatermark }
  }

  /** Committed offsets of a group by `topic/partition`. */
  async committed(
    groupId: string,
    topics: readonly { readonly name: string; readonly partitions: number }[],
  ): Promise<Map<string, number>> {
    const answer = await this.ask('offsetFetch', 5, {
      groupId,
      topics: topics.map(({ name, partitions }) => ({
        name,
        partitionIndexes: Array.from({ length: partitions }, (_, i) => i),
      })),
    })
    if (answer.errorCode !== 0) throw new Error(`offsets of group ${groupId}: error ${answer.errorCode}`)
    const found = new Map<string, number>()
    for (const { name, partitions } of answer.topics) {
      for (const { partitionIndex, committedOffset, errorCode } of partitions) {
        if (errorCode !== 0) throw new Error(`offsets of group ${groupId} in ${name}: error ${errorCode}`)
        if (committedOffset >= 0) found.set(`${name}/${partitionIndex}`, committedOffset)
      }
    }
    return found
  }
}

const text = new TextDecoder('utf-8', { fatal: true })
function recordsIn(batch: Uint8Array): { readonly offset: number; readonly value: number }[] {
  const slots = recordSlots(recordCount(batch))
  const { bytes, start, end } = recordsOf(batch)
  walkRecords(bytes, start, end, slots)
  const at = (from: number, to: number): string | null => (from < 0 ? null : text.decode(bytes.subarray(from, to)))
  return Array.from({ length: slots.count }, (_, i) => ({
    offset: baseOffset(batch) + slots.offsetDelta[i]!,
    value: provenValue(at(slots.keyStart[i]!, slots.keyEnd[i]!), at(slots.valueStart[i]!, slots.valueEnd[i]!)),
  }))
}

/** Longer than any transaction may stay open. */
const catchUpMsMax = 90_000

/**
 * Reads every partition from its beginning to its end, as a process of its own; open transactions hold it up. Resolves with what
 * the sequences of the batches show.
 */
export async function catchUp(
  address: string,
  recorder: Recorder,
  topics: readonly { readonly name: string; readonly partitions: number }[],
): Promise<SequenceBook> {
  const peer = new RawPeer(address)
  const book = new SequenceBook()
  const process = recorder.newProcess()
  recorder.reads(process, 'assign')
  const lastMs = performance.now() + catchUpMsMax
  try {
    for (const { name, partitions } of topics) {
      for (let partition = 0; partition < partitions; partition++) {
        for (let at = 0, end = Number.POSITIVE_INFINITY; at < end; ) {
          const { poll, next, end: now } = await peer.read(recorder, name, partition, at, 0, book)
          if (poll.values.length > 0) recorder.polled(process, [poll])
          end = now
          if (next === at && at < end) {
            if (performance.now() > lastMs) throw new Error(`${name}/${partition}: stuck at ${at}, the end is ${end}`)
            await sleep(20)
          }
          at = next
        }
      }
    }
    return book
  } finally {
    peer.close()
  }
}
