// Signs of life: heartbeats, commits of offsets, and what their answer tells a member about its group.
import { unreachable } from '../../std/assert.ts'
import { checkMember, type Group, type GroupError, renewSession } from './group.ts'

export interface MemberClaim {
  readonly memberId: string
  readonly instanceId: string | null
  readonly generation: number
}

export function heartbeat(group: Group, { memberId, instanceId, generation }: MemberClaim, nowMs: number): GroupError {
  if (group.state === 'Dead') return 'COORDINATOR_NOT_AVAILABLE'
  const error = checkMember(group, memberId, instanceId)
  const member = group.members.get(memberId)
  if (error !== 'NONE' || member === undefined) return error
  if (generation !== group.generation) return 'ILLEGAL_GENERATION'
  renewSession(member, nowMs)
  switch (group.state) {
    case 'PreparingRebalance':
      return 'REBALANCE_IN_PROGRESS'
    // In CompletingRebalance it has the present generation: nothing is amiss.
    case 'CompletingRebalance':
    case 'Stable':
      return 'NONE'
    case 'Empty':
      return 'UNKNOWN_MEMBER_ID'
    default:
      return unreachable(group.state)
  }
}

/**
 * May offsets be committed with this claim? Members of the present generation may, and, while a group has no members,
 * those who claim none: tools, and consumers that assign partitions by themselves. `group` null: there is no such group.
 * In a transaction a member need not have its assignment yet: who gets its partitions waits for the transaction's end.
 */
export function checkCommit(
  group: Group | null,
  claim: MemberClaim,
  nowMs: number,
  inTransaction: boolean,
): GroupError {
  const { memberId, instanceId, generation } = claim
  if (group === null) return generation < 0 ? 'NONE' : 'ILLEGAL_GENERATION'
  if (group.state === 'Dead') return 'COORDINATOR_NOT_AVAILABLE'
  if (generation < 0 && group.state === 'Empty') return 'NONE'
  if (generation < 0 && memberId === '' && instanceId === null) return 'UNKNOWN_MEMBER_ID'
  const error = checkMember(group, memberId, instanceId)
  const member = group.members.get(memberId)
  if (error !== 'NONE' || member === undefined) return error
  if (generation !== group.generation) return 'ILLEGAL_GENERATION'
  // It may own other partitions after its sync, and must not speak for those it had.
  if (group.state === 'CompletingRebalance' && !inTransaction) return 'REBALANCE_IN_PROGRESS'
  renewSession(member, nowMs)
  return 'NONE'
}
