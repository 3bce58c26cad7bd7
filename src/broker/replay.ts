// The state of the log, rebuilt from its journal at a start: topics, partitions, producers, jobs, and what damage means.
import { assert } from '../std/assert.ts'
import { baseOffset, isControl, leaderEpoch, producerId } from '../wire/record-batch.ts'
import { placeBatch } from './appending.ts'
import { topicDefaultsIn } from './broker-setting.ts'
import { cursorOfText } from './cursors.ts'
import { readOffsetEntry } from './groups/offset-entry.ts'
import { OffsetTable } from './groups/offset-table.ts'
import { readJob, readLogStart, readProducer, readTopic } from './house-entries.ts'
import { JobTable } from './job-table.ts'
import type { Damage } from './journal/damage.ts'
import { entryKind, ownStream } from './journal/entry.ts'
import type { ReplayedEntry } from './journal/recovery.ts'
import { restoreLogStart } from './log-starts.ts'
import { ProducerIds } from './producer-ids.ts'
import { readSetting, SettingsTable } from './settings-table.ts'
import { replayChange } from './topic-changes.ts'
import { TopicTable } from './topic-table.ts'
import { TransactionTable } from './transactions/table.ts'
import { readTransactionEntry } from './transactions/transaction-entry.ts'

export interface LogState {
  readonly topics: TopicTable
  readonly producers: ProducerIds
  readonly jobs: JobTable
  /** What consumer groups have committed. */
  readonly offsets: OffsetTable
  readonly transactions: TransactionTable
  /** What administrators have set. */
  readonly settings: SettingsTable
  /** Keys of topics that were deleted. */
  readonly deleted: Set<number>
  lastJobLsn: number
  /** Why no job may commit; null: all is well. */
  jobsDamage: string | null
}
export function blankState(logId: Uint8Array, partitionsMax: number): LogState {
  const topics = new TopicTable(partitionsMax)
  const settings = new SettingsTable()
  settings.onChange(({ what }) => {
    if (what === 'broker-config') topics.setDefaults(topicDefaultsIn(settings.all()))
  })
  return {
    topics,
    producers: new ProducerIds(logId),
    jobs: new JobTable(),
    offsets: new OffsetTable(),
    transactions: new TransactionTable(),
    settings,
    deleted: new Set(),
    lastJobLsn: 0,
    jobsDamage: null,
  }
}

/** What a replay learns beside the state. */
export interface Replay {
  readonly state: LogState
  /** Keys of topics whose batches are there and whose making was lost. */
  readonly orphans: Set<number>
}
export function replayOf(state: LogState): Replay {
  return { state, orphans: new Set() }
}

export function replayEntry(replay: Replay, entry: ReplayedEntry): void {
  const { header, segment, position } = entry
  const { topics, producers, jobs, offsets } = replay.state
  switch (header.kind) {
    case entryKind.batch: {
      topics.keyUsed(header.topicKey)
      const topic = topics.byKey(header.topicKey)
      // The entry that added the partition may be lost.
      if (topic !== null && header.partition >= topic.partitions.length) {
        replayChange(topics, { op: 'partitions', key: topic.key, partitions: header.partition + 1 })
      }
      const partition = topic?.partitions[header.partition]
      if (partition === undefined) {
        if (!replay.state.deleted.has(header.topicKey)) replay.orphans.add(header.topicKey)
        return
      }
      const batch = entry.payload()
      // After lost batches the offsets go on where the journal says.
      partition.nextOffset = baseOffset(batch)
      topics.epoch.current = leaderEpoch(batch)
      const { lsn, appendedMs } = header
      placeBatch(partition, replay.state, batch, batch.length, { lsn, appendedMs, segment, position })
      if (isControl(batch)) partition.transactions.ended(Number(producerId(batch)))
      partition.durableEnd = partition.nextOffset
      return
    }
    case entryKind.topic: {
      const told = readTopic(entry.payload())
      if (told.op === 'create') topics.add(told, 'live')
      else if (told.op !== 'delete') replayChange(topics, told)
      else {
        const topic = topics.byKey(told.key)
        if (topic !== null) topics.remove(topic)
        offsets.dropTopic(told.key)
        replay.state.deleted.add(told.key)
      }
      return
    }
    case entryKind.producer: {
      const { id, epoch } = readProducer(entry.payload())
      producers.seen(id, epoch)
      return
    }
    case entryKind.jobTaken:
    case entryKind.jobCommit: {
      const told = readJob(entry.payload())
      jobs.apply(told, told.step === null ? jobs.state(told.job).cursor : cursorOfText(told.step.cursor))
      if (told.topics !== undefined) jobs.setTopics(told.job, told.topics)
      replay.state.lastJobLsn = header.lsn
      return
    }
    case entryKind.groupOffset:
      offsets.apply(readOffsetEntry(entry.payload()))
      return
    case entryKind.transaction: {
      const told = readTransactionEntry(entry.payload())
      replay.state.transactions.replay(told, header.lsn, header.appendedMs)
      if (told.what === 'identity') producers.seen(told.producerId, told.epoch)
      if (told.what === 'ended') producers.seen(told.next.producerId, told.next.epoch)
      return
    }
    case entryKind.logStart:
      restoreLogStart(topics, readLogStart(entry.payload()))
      return
    case entryKind.setting:
      replay.state.settings.apply(readSetting(entry.payload()))
      return
    case entryKind.tick:
    case entryKind.witness:
      return
    default:
      assert(false, `entry ${header.lsn} is of kind ${header.kind}, which this format does not have`)
  }
}

/** Makes read-only what may have lost entries. Returns what to tell people, or null. */
export function heedDamage(replay: Replay, damage: Damage): string | null {
  if (damage.ranges.length === 0) return null
  const { state } = replay
  const first = damage.ranges[0]!
  const where = `${damage.ranges.reduce((sum, range) => sum + range.lastLsn - range.firstLsn + 1, 0)} entries of the journal that were on disk are damaged (first: ${first.firstLsn}, near ${first.path})`
  const cure = 'Nothing was deleted. Restore the data directory from a backup, or export what is left and start anew.'
  const suspect = (lastLsn: number): boolean => damage.unknownEntries > 0 && lastLsn < damage.lastLsn
  const touched: string[] = []
  for (const topic of state.topics.all()) {
    for (const partition of topic.partitions) {
      const lost = damage.lost.some((each) => each.topicKey === topic.key && each.partition === partition.id)
      if (!lost && !suspect(partition.lastLsn)) continue
      const name = `${topic.info.name}-${partition.id}`
      touched.push(name)
      partition.damage = `${name} is read-only: ${where}${lost ? '' : ', perhaps of this partition'}. ${cure}`
    }
  }
  const ownLost = (stream: number): boolean =>
    damage.lost.some((each) => each.topicKey === 0 && each.partition === stream)
  if (ownLost(ownStream.jobs) || suspect(replay.state.lastJobLsn)) {
    state.jobsDamage = `no job may commit: ${where}, and progress of jobs may be among them. ${cure}`
    touched.push('the progress of jobs')
  }
  // Consumers of a group that lost commits read some records again, as they would after a crash of their own.
  if (ownLost(ownStream.transactions)) touched.push('transactions: what hangs without an owner is aborted')
  if (ownLost(ownStream.groups)) touched.push('committed offsets of consumer groups')
  if (ownLost(ownStream.settings)) touched.push('what administrators have set')
  if (ownLost(ownStream.settings) || damage.unknownEntries > 0) {
    state.settings.damage = `what administrators have set may be incomplete: ${where}. ${cure}`
  }
  // Keys and ids that lost entries may have given out are not given out again.
  const lostMetadata = damage.lost.find((each) => each.topicKey === 0 && each.partition === ownStream.metadata)
  const unsure = (lostMetadata?.entries ?? 0) + damage.unknownEntries
  state.topics.skipKeys(unsure)
  state.producers.skip(unsure)
  if (lostMetadata !== undefined) touched.push('topics and producers')
  if (replay.orphans.size > 0) touched.push(`${replay.orphans.size} topics whose names are lost`)
  const what =
    touched.length === 0 ? '' : ` Touched: ${touched.slice(0, 20).join(', ')}${touched.length > 20 ? ' …' : ''}.`
  return `${where}.${what} ${cure}`
}
