// What time does to a group of KIP-848: sessions end, and whoever does not let go in time is put out.
import { type ConsumerGroup, type ConsumerMember, removeMember } from './consumer-group.ts'

const dueMs = ({ sessionEndsMs, revokeEndsMs, classic }: ConsumerMember): number =>
  Math.min(sessionEndsMs, revokeEndsMs, classic?.joinEndsMs ?? Infinity, classic?.syncEndsMs ?? Infinity)

/** When `expireConsumers` has something to do next; Infinity: not before something else happens. */
export function nextConsumerDueMs(group: ConsumerGroup): number {
  let due = Infinity
  for (const lapseMs of group.pending.values()) due = Math.min(due, lapseMs)
  for (const member of group.members.values()) due = Math.min(due, dueMs(member))
  return due
}
export function expireConsumers(group: ConsumerGroup, nowMs: number): void {
  for (const [id, lapseMs] of group.pending) if (lapseMs <= nowMs) group.pending.delete(id)
  for (const member of [...group.members.values()]) if (dueMs(member) <= nowMs) removeMember(group, member)
}
