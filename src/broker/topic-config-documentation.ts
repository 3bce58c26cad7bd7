// What each topic config does here, in a sentence: shown to those who ask for documentation, and printed in the docs.
import type { TopicConfigName } from './topic-configs.ts'

const asReceived = 'Cannot be changed: batches are stored as they are received, compressed by their producers.'
const oneBroker = 'Cannot be changed: there is one broker, and each partition is there once.'
const noTiers = 'Cannot be changed: there is no tiered storage.'

export const configDocumentation: { readonly [Name in TopicConfigName]: string } = {
  'cleanup.policy':
    'What becomes of old records: "delete" removes them by time and size, "compact" keeps the newest of each key, or both.',
  'compression.gzip.level': asReceived,
  'compression.lz4.level': asReceived,
  'compression.type': asReceived,
  'compression.zstd.level': asReceived,
  'delete.retention.ms': 'How long a compacted topic keeps the mark that a key was deleted.',
  'file.delete.delay.ms':
    'Accepted without effect: files that are given up are removed as soon as nobody reads them any more.',
  'flush.messages': 'Kept by every value: each record is on the disk before it is acknowledged.',
  'flush.ms': 'Kept by every value: each record is on the disk before it is acknowledged.',
  'follower.replication.throttled.replicas': oneBroker,
  'index.interval.bytes': 'Accepted without effect: how dense an index is, the broker decides.',
  'leader.replication.throttled.replicas': oneBroker,
  'local.retention.bytes': noTiers,
  'local.retention.ms': noTiers,
  'max.compaction.lag.ms': 'A record of a compacted topic is looked at by compaction after this time at the latest.',
  'max.message.bytes': 'The largest batch of records that is taken.',
  'message.timestamp.after.max.ms': 'Cannot be changed: records of any time are taken.',
  'message.timestamp.before.max.ms': 'Cannot be changed: records of any time are taken.',
  'message.timestamp.type': 'Whose time the records carry: their producer (CreateTime), or the broker (LogAppendTime).',
  'min.cleanable.dirty.ratio': 'A topic is compacted when this part of it has not been compacted yet.',
  'min.compaction.lag.ms': 'A record stays uncompacted for at least this time.',
  'min.insync.replicas': oneBroker,
  preallocate: 'Accepted without effect: the journal takes its room on the disk in advance for all topics.',
  'remote.log.copy.disable': noTiers,
  'remote.log.delete.on.disable': noTiers,
  'remote.storage.enable': noTiers,
  'retention.bytes': 'A partition that is larger loses its oldest records. -1: without limit.',
  'retention.ms': 'Records older than this are removed. -1: they stay.',
  'segment.bytes':
    'A file of records is closed before it grows beyond this size, or beyond that of the broker (256 MiB) if that is less.',
  'segment.index.bytes': 'Accepted without effect: an index is as large as its file makes it.',
  'segment.jitter.ms':
    'Accepted without effect: files are closed by one worker in turn, so their starts need no scatter.',
  'segment.ms': 'A file of records is closed when its first record is so old.',
  'unclean.leader.election.enable': oneBroker,
}
