// A group changes its protocol under its members: to KIP-848 when the first member of it comes, back when the last one
// has gone and members of the classic protocol are left (KIP-848, "Online Migration"). Members keep what they have.
import { readAssignment, readSubscription } from '../consumer-protocol.ts'
import { type Group, newGroup, noBytes } from '../group.ts'
import { chooseProtocol, metadataOf } from '../protocols.ts'
import { defaultAssignor } from './assignors.ts'
import { assignmentOf, consumerProtocolType, partsByName } from './classic-members.ts'
import {
  addMember,
  type ConsumerGroup,
  newConsumerGroup,
  newMember,
  ownerOf,
  setParts,
  type TopicView,
} from './consumer-group.ts'
import { partsWhere } from './parts.ts'

/** Leaves the classic group as it is. Null: its members speak of something else than topics and partitions. */
export function toConsumerGroup(classic: Group, topics: TopicView, nowMs: number): ConsumerGroup | null {
  if (classic.protocolType !== consumerProtocolType) return null
  const group = newConsumerGroup(classic.id, defaultAssignor)
  group.epoch = classic.generation
  group.assignmentEpoch = classic.generation
  for (const [id, lapseMs] of classic.pending) group.pending.set(id, lapseMs)
  for (const from of classic.members.values()) {
    const { protocols, sessionTimeoutMs } = from
    const preferred = classic.protocol === null ? protocols[0]!.metadata : metadataOf(from, classic.protocol)
    const subscription = readSubscription(preferred)
    const assignment = readAssignment(from.assignment)
    if (subscription === null || assignment === null) return null
    const member = newMember(from.id, from.instanceId)
    addMember(group, member)
    Object.assign(member, {
      clientId: from.clientId,
      clientHost: from.clientHost,
      epoch: classic.generation,
      previousEpoch: classic.generation,
      rebalanceTimeoutMs: from.rebalanceTimeoutMs,
      topicNames: [...new Set(subscription.topics)].sort(),
      sessionEndsMs: nowMs + sessionTimeoutMs,
      classic: {
        sessionTimeoutMs,
        protocols,
        subscriptionVersion: subscription.version,
        joinEndsMs: Infinity,
        syncEndsMs: Infinity,
      },
    })
    // A leader may have assigned what it liked: here a partition has one owner.
    const theirs = partsByName(topics, assignment)
    const assigned = partsWhere(theirs, (topic, partition) => ownerOf(group, topic, partition) === null)
    setParts(group, member, assigned, new Map())
    group.target.set(member.id, assigned)
  }
  return group
}

/** All its members are of the classic protocol. What they have becomes the generation that they are to join anew. */
export function toClassicGroup(group: ConsumerGroup, nowMs: number): Group {
  const classic = newGroup(group.id)
  classic.generation = group.epoch
  classic.protocolType = consumerProtocolType
  for (const [id, lapseMs] of group.pending) classic.pending.set(id, lapseMs)
  for (const member of group.members.values()) {
    const { id, instanceId, clientId, clientHost, rebalanceTimeoutMs, classic: side } = member
    if (side === null) continue
    classic.members.set(id, {
      id,
      instanceId,
      clientId,
      clientHost,
      sessionTimeoutMs: side.sessionTimeoutMs,
      rebalanceTimeoutMs,
      protocols: side.protocols,
      assignment: member.assigned.size === 0 ? noBytes : assignmentOf(group, member),
      sessionEndsMs: nowMs + side.sessionTimeoutMs,
      joinTicket: null,
      syncTicket: null,
      owesSync: false,
    })
    if (instanceId !== null) classic.instances.set(instanceId, id)
    classic.leader ??= id
  }
  classic.protocol = chooseProtocol([...classic.members.values()])
  classic.state = 'Stable'
  return classic
}
