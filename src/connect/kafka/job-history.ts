// The topic of a job, read from its beginning to where it ends now: the newest owner and commit, and what of orders and
// ticks is kept.
import { type Cursor, LogError } from '../../log/log.ts'
import { lastOffset } from '../../wire/record-batch.ts'
import type { KafkaCluster } from './cluster.ts'
import { readJobRecord } from './job-records.ts'
import { committedAmong, fetchOnce, offsetRanges, readCommitted, recordsWithin, wholeBatches } from './reading.ts'

export interface JobHistory {
  readonly epoch: number
  readonly commit: { readonly number: number; readonly epoch: number; readonly cursor: Cursor } | null
  /** Keys of the orders that are kept, oldest first. */
  readonly orders: readonly { readonly number: number; readonly keys: readonly string[] }[]
  readonly ticks: readonly { readonly key: string; readonly offset: number }[]
}

const readBytes = 1 << 20
const waitMs = 5

/**
 * For the owner of the job, after it has fenced those before it: nobody's transaction is open there, or it is about to
 * end. Rejects with what the cluster says no with.
 */
export async function readHistory(cluster: KafkaCluster, topic: string): Promise<JobHistory> {
  const known = cluster.topic(topic)
  const [range] = known === null ? [] : await offsetRanges(cluster, [known])
  let epoch = 0
  let commit: JobHistory['commit'] = null
  const orders = new Map<number, Set<string>>()
  const ticks = new Map<string, number>()
  const endMs = cluster.world.clock.monoMs() + cluster.settings.patienceMs
  for (let from: number = range?.start ?? 0; from < (range?.end ?? 0); ) {
    const fetched = await fetchOnce(cluster, topic, 0, from, readBytes, readCommitted)
    const batches = wholeBatches(fetched.records).filter((batch) => lastOffset(batch) >= from)
    for (const batch of committedAmong(batches, fetched.abortedTransactions)) {
      for (const { offset, key, value } of recordsWithin(batch)) {
        const record = readJobRecord(topic, key, value)
        if (record.kind === 'owner') epoch = Math.max(epoch, record.epoch)
        else if (record.kind === 'commit') {
          commit = record
          epoch = Math.max(epoch, record.epoch)
        } else if (record.kind === 'tick') ticks.set(key, offset)
        else if (record.kind === 'order') orders.set(record.number, (orders.get(record.number) ?? new Set()).add(key))
        else {
          ticks.delete(key)
          const number = Number(/^order\/(\d+)\//.exec(key)?.[1])
          const keys = orders.get(number)
          keys?.delete(key)
          if (keys?.size === 0) orders.delete(number)
        }
      }
    }
    const last = batches.at(-1)
    if (last !== undefined) from = lastOffset(last) + 1
    else if (cluster.world.clock.monoMs() > endMs) {
      throw new LogError(
        'CONCURRENT_TRANSACTIONS',
        `a transaction from offset ${from} on of ${topic} does not come to its end: is another owner of the job at work?`,
        { isTransient: true },
      )
    } else await cluster.world.clock.sleep(waitMs)
  }
  return {
    epoch,
    commit,
    orders: [...orders].sort(([a], [b]) => a - b).map(([number, keys]) => ({ number, keys: [...keys] })),
    ticks: [...ticks].map(([key, offset]) => ({ key, offset })),
  }
}
