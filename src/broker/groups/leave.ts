// Members leave, or are put out by an administrator.
import { unreachable } from '../../std/assert.ts'
import { type Answer, checkMember, type Group, type GroupError, removeMember } from './group.ts'
import { rebalance } from './rebalance.ts'
import type { GroupRules } from './settings.ts'

export interface Leaver {
  /** '' = the static member of this instance id, whatever it is called now. */
  readonly memberId: string
  readonly instanceId: string | null
}

/** All of them, then one rebalance. One error per leaver, in their order. */
export function leave(
  group: Group,
  rules: GroupRules,
  leavers: readonly Leaver[],
  nowMs: number,
): { readonly errors: readonly GroupError[]; readonly answers: readonly Answer[] } {
  const answers: Answer[] = []
  let lostMember = false
  const errors = leavers.map(({ memberId, instanceId }): GroupError => {
    if (group.state === 'Dead') return 'COORDINATOR_NOT_AVAILABLE'
    if (group.pending.delete(memberId)) return 'NONE'
    const id = memberId === '' && instanceId !== null ? (group.instances.get(instanceId) ?? '') : memberId
    const error = checkMember(group, id, instanceId)
    const member = group.members.get(id)
    if (error !== 'NONE' || member === undefined) return error
    answers.push(...removeMember(group, member, 'UNKNOWN_MEMBER_ID'))
    lostMember = true
    return 'NONE'
  })
  if (errors.includes('NONE')) answers.push(...afterLosses(group, rules, lostMember, nowMs))
  return { errors, answers }
}

/** Some are no more: members, or only ids that were given out. What of it? */
export function afterLosses(group: Group, rules: GroupRules, lostMember: boolean, nowMs: number): Answer[] {
  switch (group.state) {
    case 'Stable':
    case 'CompletingRebalance':
      return lostMember ? rebalance(group, rules, nowMs) : []
    case 'PreparingRebalance':
      return rebalance(group, rules, nowMs)
    case 'Empty':
    case 'Dead':
      return []
    default:
      return unreachable(group.state)
  }
}
