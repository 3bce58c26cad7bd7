// What a group may be: timeouts and limits, each with its unit. Tests reach each of them.

/** The rules of one group, for its state machine. */
export interface GroupRules {
  /** Kafka's group.min.session.timeout.ms and group.max.session.timeout.ms. */
  readonly sessionTimeoutMsMin: number
  readonly sessionTimeoutMsMax: number
  /** Members are given at least so long to join again, whatever they say. */
  readonly rebalanceTimeoutMsMin: number
  /** An empty group waits so long for others before its first rebalance (group.initial.rebalance.delay.ms). */
  readonly initialRebalanceDelayMs: number
  readonly membersMax: number
  /** Of all members' protocols together, and of all their assignments: the leader is told the ones in one answer. */
  readonly groupBytesMax: number
}
/** The rules of one group of KIP-848, besides. */
export interface ConsumerRules extends GroupRules {
  /** Members are told to beat so often (group.consumer.heartbeat.interval.ms). */
  readonly consumerHeartbeatMs: number
  /** Without a heartbeat for so long a member is gone (group.consumer.session.timeout.ms). */
  readonly consumerSessionMs: number
  /** (group.consumer.max.size) */
  readonly consumerMembersMax: number
  /** New, grown and deleted topics are noticed within so long, and the next heartbeat. */
  readonly consumerTopicsEachMs: number
}
export interface GroupSettings extends ConsumerRules {
  /** Groups that have, or lately had, members. */
  readonly groupsMax: number
  /** What the members of all groups bring and are assigned. */
  readonly memberBytesMax: number
  /** UTF-8 bytes of a group's id. */
  readonly groupIdBytesMax: number
  /** Characters of what a client may note beside an offset (offset.metadata.max.bytes). */
  readonly offsetMetadataCharactersMax: number
  /** Memory that all committed offsets may take, about. */
  readonly offsetBytesMax: number
  /** Offsets of a group without members are forgotten after so long (offsets.retention.minutes). */
  readonly offsetsRetentionMs: number
  /** How often they are looked at. */
  readonly sweepEachMs: number
}

const MiB = 1024 * 1024
const hourMs = 3_600_000
export const groupDefaults: GroupSettings = {
  sessionTimeoutMsMin: 6_000,
  sessionTimeoutMsMax: 1_800_000,
  rebalanceTimeoutMsMin: 1_000,
  initialRebalanceDelayMs: 0,
  membersMax: 1_000,
  groupBytesMax: 8 * MiB,
  // Kafka's is 5 s, for large clusters: here a rebalance is to be over while one looks.
  consumerHeartbeatMs: 1_000,
  consumerSessionMs: 45_000,
  consumerMembersMax: 1_000,
  consumerTopicsEachMs: 500,
  groupsMax: 10_000,
  memberBytesMax: 128 * MiB,
  groupIdBytesMax: 1_000,
  offsetMetadataCharactersMax: 4_096,
  offsetBytesMax: 256 * MiB,
  offsetsRetentionMs: 7 * 24 * hourMs,
  sweepEachMs: hourMs,
}
