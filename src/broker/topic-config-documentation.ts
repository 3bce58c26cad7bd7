// What each topic config does here, in a sentence: shown to those who ask for documentation, and printed in the docs.
import type { TopicConfigName } from './topic-configs.ts'

const asReceived = 'Without effect here: batches are stored as they are received, compressed by their producers.'
const oneBroker = 'Without effect here: there is one broker, and each partition is there once.'
const noTiers = 'Without effect here: there is no tiered storage.'

export const configDocumentation: { readonly [Name in TopicConfigName]: string } = {
  'cleanup.policy':
    'What becomes of old records: "delete" removes them by time and size, "compact" keeps the newest of each key, or both.',
  'compression.gzip.level': asReceived,
  'compression.lz4.level': asReceived,
  'compression.type': asReceived,
  'compression.zstd.level': asReceived,
  'delete.retention.ms': 'How long a compacted topic keeps the mark that a key was deleted.',
  'file.delete.delay.ms':
    'Kept by every value: readers hold what they read, so files that are given up are removed at once.',
  'flush.messages': 'Kept by every value: each record is on the disk before it is acknowledged.',
  'flush.ms': 'Kept by every value: each record is on the disk before it is acknowledged.',
  'follower.replication.throttled.replicas': oneBroker,
  'index.interval.bytes': 'Kept by every value: the index has an entry for at least every so many bytes.',
  'leader.replication.throttled.replicas': oneBroker,
  'local.retention.bytes': noTiers,
  'local.retention.ms': noTiers,
  'max.compaction.lag.ms': 'A record of a compacted topic is looked at by compaction after this time at the latest.',
  'max.message.bytes': 'The largest batch of records that is taken.',
  'message.timestamp.after.max.ms': 'Without effect here: records of any time are taken.',
  'message.timestamp.before.max.ms': 'Without effect here: records of any time are taken.',
  'message.timestamp.type': 'Whose time the records carry: their producer (CreateTime), or the broker (LogAppendTime).',
  'min.cleanable.dirty.ratio': 'A topic is compacted when this part of it has not been compacted yet.',
  'min.compaction.lag.ms': 'A record stays uncompacted for at least this time.',
  'min.insync.replicas': oneBroker,
  preallocate: 'Kept by every value: the journal takes its room on the disk in advance, settled files do not need to.',
  'remote.log.copy.disable': noTiers,
  'remote.log.delete.on.disable': noTiers,
  'remote.storage.enable': noTiers,
  'retention.bytes': 'A partition that is larger loses its oldest records. -1: without limit.',
  'retention.ms': 'Records older than this are removed. -1: they stay.',
  'segment.bytes': 'The size of a file of records at which a new one is begun.',
  'segment.index.bytes': 'Kept by every value: an index grows with its file and needs no limit of its own.',
  'segment.jitter.ms': 'Kept by every value: the start of a new file is never put off, so it needs no scatter.',
  'segment.ms': 'The age of a file of records at which a new one is begun.',
  'unclean.leader.election.enable': oneBroker,
}
