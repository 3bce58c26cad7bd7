// May this member of a group of KIP-848 commit offsets, or ask for them? Only at its present epoch: one that lags behind
// may speak of partitions that are another's by now.
import type { KafkaError } from '../../../wire/wire.ts'
import type { MemberClaim } from '../heartbeat.ts'
import type { ConsumerGroup } from './consumer-group.ts'

export type ClaimError = Extract<
  KafkaError,
  'NONE' | 'FENCED_INSTANCE_ID' | 'ILLEGAL_GENERATION' | 'STALE_MEMBER_EPOCH' | 'UNKNOWN_MEMBER_ID'
>

/** Who claims no epoch may while the group has no members. */
export function checkConsumer(group: ConsumerGroup, { memberId, instanceId, generation }: MemberClaim): ClaimError {
  if (generation < 0 && group.members.size === 0) return 'NONE'
  const member = group.members.get(memberId)
  if (member === undefined) return 'UNKNOWN_MEMBER_ID'
  const holder = instanceId === null ? memberId : group.instances.get(instanceId)
  if (holder !== memberId) return 'FENCED_INSTANCE_ID'
  if (generation === member.epoch) return 'NONE'
  return member.classic === null ? 'STALE_MEMBER_EPOCH' : 'ILLEGAL_GENERATION'
}
