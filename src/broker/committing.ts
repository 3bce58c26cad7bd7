// The outputs of a job's commit: checked, each with the offset it will have, before anything is taken.
import { type Commit, LogError } from '../log/log.ts'
import { type Offset, offset } from '../std/units.ts'
import { lastOffsetDelta } from '../wire/record-batch.ts'
import { batchEntry, checkedBatch, judgeProducer } from './appending.ts'
import type { NewEntry } from './journal/new-entry.ts'
import type { Partition } from './partition.ts'
import type { LogState } from './replay.ts'
import { checkMembership } from './transactions/appending.ts'

export interface PlannedAppends {
  readonly batches: readonly { readonly partition: Partition; readonly batch: Uint8Array }[]
  readonly baseOffsets: readonly Offset[]
  readonly entries: readonly NewEntry[]
}

/** Throws a LogError if one of them cannot be taken. */
export function planAppends(
  { topics, producers, transactions }: LogState,
  { job, appends }: Commit,
  nowMs: number,
): PlannedAppends {
  const next = new Map<Partition, number>()
  const batches: { partition: Partition; batch: Uint8Array }[] = []
  const baseOffsets: Offset[] = []
  const entries: NewEntry[] = []
  for (const append of appends) {
    const { topic, partition } = topics.partition(append.topic, append.partition)
    const batch = checkedBatch(topic, partition, append.batch, nowMs)
    checkMembership(transactions, 0, partition, batch, null)
    if (judgeProducer(partition, producers, batch) !== null) {
      throw new LogError('INVALID_RECORD', `a commit of job ${job} repeats a batch of an idempotent producer`)
    }
    const base = next.get(partition) ?? partition.nextOffset
    next.set(partition, base + lastOffsetDelta(batch) + 1)
    batches.push({ partition, batch })
    baseOffsets.push(offset(base))
    entries.push(batchEntry(partition, batch, base))
  }
  return { batches, baseOffsets, entries }
}
