// A member goes towards its part of the target: it first lets go of what is another's to be, then gets what nobody has
// any more. As in KIP-848's reconciliation.
import { assert, unreachable } from '../../../std/assert.ts'
import { type ConsumerGroup, type ConsumerMember, ownerOf, setParts } from './consumer-group.ts'
import { countParts, eachPart, inBoth, noParts, overlap, type Parts, partsWhere, together, without } from './parts.ts'

/** `owned`: what the member says that it has; null if it says nothing: then nothing is taken for let go. */
export function reconcile(group: ConsumerGroup, member: ConsumerMember, owned: Parts | null, nowMs: number): void {
  assert(group.epoch === group.assignmentEpoch, 'members go towards a target that is up to date')
  switch (member.state) {
    case 'stable':
      if (member.epoch !== group.assignmentEpoch) advance(group, member, owned, nowMs)
      return
    case 'unrevoked':
      if (hasLetGo(member.revoking, owned)) advance(group, member, owned, nowMs)
      return
    case 'unreleased':
      advance(group, member, owned, nowMs)
      return
    default:
      unreachable(member.state)
  }
}
const hasLetGo = (revoking: Parts, owned: Parts | null): boolean => owned !== null && !overlap(owned, revoking)

function advance(group: ConsumerGroup, member: ConsumerMember, owned: Parts | null, nowMs: number): void {
  const target = targetOf(group, member)
  const kept = inBoth(member.assigned, target)
  const revoking = without(member.assigned, target)
  if (revoking.size > 0 && !hasLetGo(revoking, owned)) {
    setParts(group, member, kept, revoking)
    member.state = 'unrevoked'
    member.revokeEndsMs = nowMs + member.rebalanceTimeoutMs
    return
  }
  // What it had to let go is nobody's from here on.
  setParts(group, member, kept, noParts)
  const wanted = without(target, kept)
  const free = partsWhere(wanted, (topic, partition) => ownerOf(group, topic, partition) === null)
  setParts(group, member, free.size === 0 ? kept : together(kept, free), noParts)
  member.state = countParts(wanted) > countParts(free) ? 'unreleased' : 'stable'
  member.revokeEndsMs = Infinity
  if (member.epoch === group.assignmentEpoch) return
  member.previousEpoch = member.epoch
  member.epoch = group.assignmentEpoch
}
const targetOf = (group: ConsumerGroup, { id }: ConsumerMember): Parts => group.target.get(id) ?? noParts

/** Part of what it is to have is still another's. */
export function waitsForOthers(group: ConsumerGroup, member: ConsumerMember): boolean {
  for (const [topic, partition] of eachPart(without(targetOf(group, member), member.assigned))) {
    if (ownerOf(group, topic, partition) !== null) return true
  }
  return false
}
