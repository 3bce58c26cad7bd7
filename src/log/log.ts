// The Log: records in order, appended, read in the order they became visible, committed together with a job's progress.
// Two implementations: the embedded broker (`broker/`) and, for scale-out, a Kafka cluster (`connect/`). Types only.
import type { Lsn, Offset, PartitionId } from '../std/units.ts'

export interface TopicSpec {
  readonly name: string
  readonly partitions: number
  /** Kafka topic configs, by Kafka's names: `cleanup.policy`, `retention.ms` … */
  readonly configs?: Readonly<Record<string, string>>
  /** Of the house, not of its clients. If not given, the name tells (`__…`). */
  readonly internal?: boolean
}
export interface TopicInfo {
  readonly name: string
  /** 16 bytes, the topic's UUID: changes when a topic is deleted and created again. */
  readonly id: Uint8Array
  readonly partitions: number
  readonly configs: Readonly<Record<string, string>>
  /** Known to the platform only: hidden from listings by default (`__…` names). */
  readonly internal: boolean
}
export interface Appended {
  /** Of the first record. For a repeated batch of an idempotent producer: where the first copy went. */
  readonly baseOffset: Offset
  readonly lsn: Lsn
  /** Broker clock at the append, ms. For latency figures only; arrival is the record's own Kafka timestamp. */
  readonly appendedMs: number
}
/** `start`: the first offset still held. `end`: one past the last durable record (the high watermark). */
export interface OffsetRange {
  readonly start: Offset
  readonly end: Offset
}

export interface CommittedRead {
  readonly batches: readonly Uint8Array[]
  readonly next: Offset
}

/** A job's place in the log's visibility order. Opaque: only the log that made it can read it; JSON-safe. */
export type Cursor = string & { readonly cursor: never }

/** What a follower is handed, in visibility order; durable, so it will be there after any crash. */
export type LogEntry =
  | {
      readonly kind: 'batch'
      readonly lsn: Lsn
      /** The cursor once this entry has been processed. */
      readonly after: Cursor
      readonly topic: string
      readonly partition: PartitionId
      readonly baseOffset: Offset
      readonly lastOffset: Offset
      /** One Kafka record batch (magic 2), base offset filled in. Valid until the next `poll`; do not change it. */
      readonly bytes: Uint8Array
    }
  | { readonly kind: 'tick'; readonly lsn: Lsn; readonly after: Cursor; readonly payload: Uint8Array }

/** Reads the batches of some topics and the ticks of one job, in the order they became visible. */
export interface Follower {
  /** Up to about `maxBytes` of entries (at least one if there is one); empty when caught up. Never waits. */
  poll(maxBytes: number): LogEntry[]
  /** Resolves when `poll` would give something, or when the follower is closed. */
  ready(): Promise<void>
  /** True when everything durable at this moment has been polled. */
  caughtUp(): boolean
  /** Where the follower is: the cursor after the last polled entry. */
  cursor(): Cursor
  close(): void
}

/** One atomic, durable step of a job (design A8). Rejected with a `FencedError` if the epoch or `previous` differ. */
export interface Commit {
  readonly job: string
  readonly epoch: number
  readonly previous: Cursor
  readonly cursor: Cursor
  /** Record batches for result topics, late topics, dead letters: visible with the commit or not at all. */
  readonly appends: readonly { readonly topic: string; readonly partition: PartitionId; readonly batch: Uint8Array }[]
  /** The oldest place that the job may yet go back to, its oldest snapshot: what a log keeps only for replays may go up to there. */
  readonly keepsFrom?: Cursor | null
}
export interface JobState {
  /** Owner number: each `takeJob` raises it, so an older owner's commits are rejected. */
  readonly epoch: number
  readonly cursor: Cursor
}

export interface Log {
  /** Rejects with a `LogError` TOPIC_ALREADY_EXISTS, INVALID_TOPIC, INVALID_PARTITIONS or INVALID_CONFIG. */
  createTopic(spec: TopicSpec): Promise<TopicInfo>
  /** Rejects with UNKNOWN_TOPIC. */
  deleteTopic(name: string): Promise<void>
  topic(name: string): TopicInfo | null
  topics(): readonly TopicInfo[]
  /** Appends one record batch as a producer makes it (base offset 0). Resolves when it is durable. */
  append(topic: string, partition: PartitionId, batch: Uint8Array): Promise<Appended>
  offsets(topic: string, partition: PartitionId): OffsetRange
  /** Whole batches from the one that holds `from`, at most `maxBytes` but at least one; empty at the end. Durable ones only. */
  read(topic: string, partition: PartitionId, from: Offset, maxBytes: number): Promise<readonly Uint8Array[]>
  /**
   * The same without what transactions have not committed: no batch of an aborted one, no marker, and nothing from the
   * first record of an open one on. `next` tells where to go on; it is `from` where there is nothing more to be read.
   */
  readCommitted(topic: string, partition: PartitionId, from: Offset, maxBytes: number): Promise<CommittedRead>
  /** The cursor before the first entry of the log. */
  origin(): Cursor
  /** Everything visible from now on comes after this cursor. */
  now(): Cursor
  follow(follow: { readonly job: string; readonly topics: readonly string[]; readonly from: Cursor }): Follower
  /** Records a decision of a job's clock as an entry of the log; resolves when durable. */
  tick(job: string, payload: Uint8Array): Promise<void>
  /** Takes a job over: raises its epoch (durably) and tells where it stands. A new job stands at `origin()`. */
  takeJob(job: string): Promise<JobState>
  /** Resolves when durable; `baseOffsets` tells where each of the appends went, in their order. */
  commit(commit: Commit): Promise<{ readonly lsn: Lsn; readonly baseOffsets: readonly Offset[] }>
}

/** What the log refuses, in Kafka's words. `code` is the name of the Kafka error. */
export class LogError extends Error {
  override name = 'LogError'
  readonly code: LogErrorCode
  /** Nothing was kept, and the same may be taken a little later: the disk is full or slow at the moment. */
  readonly isTransient: boolean
  constructor(code: LogErrorCode, message: string, options: ErrorOptions & { readonly isTransient?: boolean } = {}) {
    super(message, options)
    this.code = code
    this.isTransient = options.isTransient ?? false
  }
}
export type LogErrorCode =
  | 'UNKNOWN_TOPIC_OR_PARTITION'
  | 'TOPIC_ALREADY_EXISTS'
  | 'INVALID_TOPIC_EXCEPTION'
  | 'INVALID_PARTITIONS'
  | 'INVALID_CONFIG'
  | 'OFFSET_OUT_OF_RANGE'
  | 'CORRUPT_MESSAGE'
  | 'INVALID_RECORD'
  | 'MESSAGE_TOO_LARGE'
  | 'OUT_OF_ORDER_SEQUENCE_NUMBER'
  | 'INVALID_PRODUCER_EPOCH'
  | 'INVALID_PRODUCER_ID_MAPPING'
  | 'INVALID_TXN_STATE'
  | 'CONCURRENT_TRANSACTIONS'
  | 'TRANSACTION_ABORTABLE'
  | 'KAFKA_STORAGE_ERROR'
/** Another owner has taken the job over, or its last commit is not the one this owner built on. */
export class FencedError extends Error {
  override name = 'FencedError'
}
