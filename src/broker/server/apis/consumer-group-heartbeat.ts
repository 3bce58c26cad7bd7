// ConsumerGroupHeartbeat 0-1 (key 68): a member of a group of KIP-848 joins (epoch 0), lives, tells what it reads and owns,
// leaves (-1), goes away for a while (-2). Answered at once, with what it may use if that is news to it.
// Left out: racks are kept and shown, and no assignor looks at them.
import { kafkaErrors, type RequestOf, type ResponseTo } from '../../../wire/wire.ts'
import { type Beat, type BeatAnswer, refusedBeat } from '../../groups/consumer/beat.ts'
import { epochGoesAway, epochJoins } from '../../groups/consumer/consumer-group.ts'
import { type Parts, PartsMaker } from '../../groups/consumer/parts.ts'
import type { Asking } from '../serving.ts'

/** From here on the client makes its member id (KIP-1082). */
const clientMakesIdSince = 1

export function consumerGroupHeartbeat(
  request: RequestOf<'consumerGroupHeartbeat'>,
  asking: Asking,
  clientId: string | null,
): ResponseTo<'consumerGroupHeartbeat'> {
  const { groups } = asking.serving
  const { error, message, memberId, memberEpoch, assignment } = answered(request, asking, clientId ?? '')
  return {
    errorCode: kafkaErrors[error],
    errorMessage: message,
    memberId: error === 'NONE' ? memberId : null,
    memberEpoch,
    heartbeatIntervalMs: error === 'NONE' ? groups.settings.consumerHeartbeatMs : 0,
    assignment: assignment === null ? null : { topicPartitions: writtenParts(assignment) },
  }
}

function answered(
  request: RequestOf<'consumerGroupHeartbeat'>,
  { serving: { groups }, version, may, remoteHost }: Asking,
  clientId: string,
): Omit<BeatAnswer, 'error'> & {
  readonly error: BeatAnswer['error'] | 'GROUP_AUTHORIZATION_FAILED' | 'TOPIC_AUTHORIZATION_FAILED'
} {
  const { groupId, memberEpoch, subscribedTopicNames, topicPartitions } = request
  const refused = refusedBeat('NONE', '')
  if (!may('read', 'group', groupId)) return { ...refused, error: 'GROUP_AUTHORIZATION_FAILED', message: null }
  const problem = problemOf(request, version)
  if (problem !== null) return refusedBeat('INVALID_REQUEST', problem)
  if (subscribedTopicNames?.some((topic) => !may('describe', 'topic', topic))) {
    return { ...refused, error: 'TOPIC_AUTHORIZATION_FAILED', message: null }
  }
  const beat: Beat = {
    memberId: request.memberId === '' ? groups.newMemberId() : request.memberId,
    memberEpoch,
    instanceId: request.instanceId,
    rackId: request.rackId,
    rebalanceTimeoutMs: request.rebalanceTimeoutMs,
    topicNames: subscribedTopicNames,
    topicRegex: request.subscribedTopicRegex,
    assignor: request.serverAssignor,
    owned: topicPartitions === null ? null : readParts(topicPartitions),
    clientId,
    clientHost: `/${remoteHost}`,
    mayDescribe: (topic) => may('describe', 'topic', topic),
  }
  return groups.beat(groupId, beat)
}

/** What a request may not be, whoever sends it. */
function problemOf(request: RequestOf<'consumerGroupHeartbeat'>, version: number): string | null {
  const { groupId, memberId, memberEpoch, instanceId, rackId, serverAssignor } = request
  const joins = memberEpoch === epochJoins
  if (groupId === '') return 'the group id may not be empty'
  if (memberId === '' && (version >= clientMakesIdSince || !joins)) return 'the member id may not be empty'
  if (memberId.length > idCharactersMax) return `a member id has ${idCharactersMax} characters at most`
  if (instanceId === '') return 'the instance id may not be empty'
  if (rackId === '') return 'the rack id may not be empty'
  if (serverAssignor === '') return 'the assignor may not be empty'
  if (memberEpoch < epochGoesAway) return `there is no member epoch ${memberEpoch}`
  if (memberEpoch === epochGoesAway && instanceId === null) return 'only a static member may go away for a while'
  if (!joins) return null
  if (request.rebalanceTimeoutMs <= 0) return 'a member that joins says how long it may take to let go'
  if (request.topicPartitions === null || request.topicPartitions.length > 0) return 'a member that joins owns nothing'
  const reads = request.subscribedTopicNames !== null || request.subscribedTopicRegex !== null
  return reads ? null : 'a member that joins says what it reads'
}
const idCharactersMax = 1_000

const readParts = (
  topics: readonly { readonly topicId: Uint8Array; readonly partitions: readonly number[] }[],
): Parts => {
  const made = new PartsMaker()
  for (const { topicId, partitions } of topics) {
    const id = Buffer.from(topicId).toString('hex')
    for (const partition of partitions) made.add(id, partition)
  }
  return made.parts
}
const writtenParts = (parts: Parts) =>
  [...parts].map(([id, partitions]) => ({ topicId: topicIdOf(id), partitions: [...partitions].sort((a, b) => a - b) }))
export const topicIdOf = (id: string): Uint8Array => new Uint8Array(Buffer.from(id, 'hex'))
