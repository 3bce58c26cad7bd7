// The consumer groups of a Kafka cluster (or a Millrace on a port): listed, described with how far behind they are, their
// offsets set, themselves deleted.
import { Admin } from '@platformatic/kafka'
import { apis } from '../wire/wire.ts'
import type { World } from '../world/world.ts'
import { BrokerConnection, type ConnectionSettings } from './kafka/connection.ts'
import { libraryAccess } from './kafka-access.ts'
import { type KafkaProducerSettings, kafkaProducerDefaults } from './kafka-producer.ts'

export interface ListedGroup {
  readonly group: string
  /** As Kafka writes it: `Stable`, `Empty` … */
  readonly state: string
  /** `classic` or `consumer` (KIP-848). */
  readonly type: string
}
export interface GroupMember {
  readonly member: string
  readonly instance: string | null
  readonly client: string
  readonly host: string
  readonly partitions: readonly TopicPartition[]
}
export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}
/** What a partition holds, and how far the group is in it. */
export interface GroupOffset extends TopicPartition {
  readonly committed: number | null
  readonly start: number
  readonly end: number
}

export interface KafkaGroups {
  list(): Promise<readonly ListedGroup[]>
  members(group: ListedGroup): Promise<readonly GroupMember[]>
  /** Of the topics that the group has committed offsets of; or of these. Null: there is no such topic. */
  offsets(group: string, topics?: readonly string[]): Promise<readonly GroupOffset[]>
  /** The first offset at or after a time, the end where nothing is as late; in the order that was asked. */
  offsetsAt(partitions: readonly TopicPartition[], timeMs: number): Promise<readonly number[]>
  topicNames(): Promise<readonly string[]>
  commit(group: string, offsets: readonly (TopicPartition & { readonly offset: number })[]): Promise<void>
  delete(group: string): Promise<void>
  close(): Promise<void>
}

/** Kafka's words for offsets in ListOffsets. */
const earliest = -2n
const latest = -1n
const ofGroups = 0

export function kafkaGroups(world: World, settings: KafkaProducerSettings): KafkaGroups {
  const { clientId, retries, retryDelayMs, requestTimeoutMs, brokers, access } = {
    ...kafkaProducerDefaults,
    ...settings,
  }
  const admin = new Admin({
    clientId,
    bootstrapBrokers: [...brokers],
    retries,
    retryDelay: retryDelayMs,
    requestTimeout: requestTimeoutMs,
    ...libraryAccess(access),
  })
  const at = async (partitions: readonly TopicPartition[], timestamp: bigint): Promise<number[]> => {
    const topics = byTopic(partitions).map(([name, each]) => ({
      name,
      partitions: each.map(({ partition }) => ({ partitionIndex: partition, timestamp })),
    }))
    if (topics.length === 0) return []
    const found = new Map<string, number>()
    for (const { name, partitions: listed } of await admin.listOffsets({ topics })) {
      for (const { partitionIndex, offset } of listed) found.set(`${name}/${partitionIndex}`, Number(offset))
    }
    return partitions.map(({ topic, partition }) => found.get(`${topic}/${partition}`) ?? -1)
  }
  return {
    async list() {
      const groups = await admin.listGroups({ types: ['classic', 'consumer'] })
      return [...groups.values()].map(({ id, state, groupType }) => {
        return { group: id, state: String(state), type: groupType ?? 'classic' }
      })
    },
    members: (group) =>
      group.type === 'consumer'
        ? membersByWire(world, admin, group.group, { clientId, requestTimeoutMs, access })
        : classicMembers(admin, group.group),
    async offsets(group, topics) {
      const [own] = await admin.listConsumerGroupOffsets({ groups: [group] })
      const committed = new Map<string, number>()
      const partitions: TopicPartition[] = []
      for (const { name, partitions: each } of own?.topics ?? []) {
        for (const { partitionIndex, committedOffset } of each) {
          if (committedOffset >= 0n) committed.set(`${name}/${partitionIndex}`, Number(committedOffset))
          if (topics === undefined) partitions.push({ topic: name, partition: partitionIndex })
        }
      }
      if (topics !== undefined && topics.length > 0) {
        const metadata = await admin.metadata({ topics: [...topics], forceUpdate: true })
        for (const topic of topics) {
          const count = metadata.topics.get(topic)?.partitionsCount ?? 0
          for (let partition = 0; partition < count; partition++) partitions.push({ topic, partition })
        }
      }
      partitions.sort((a, b) => (a.topic < b.topic ? -1 : a.topic > b.topic ? 1 : a.partition - b.partition))
      const [starts, ends] = [await at(partitions, earliest), await at(partitions, latest)]
      return partitions.map((each, i) => ({
        ...each,
        committed: committed.get(`${each.topic}/${each.partition}`) ?? null,
        start: starts[i]!,
        end: ends[i]!,
      }))
    },
    async offsetsAt(partitions, timeMs) {
      const [found, ends] = [await at(partitions, BigInt(timeMs)), await at(partitions, latest)]
      return found.map((offset, i) => (offset < 0 ? ends[i]! : offset))
    },
    topicNames: () => admin.listTopics(),
    async commit(group, offsets) {
      const topics = byTopic(offsets).map(([name, each]) => ({
        name,
        partitionOffsets: each.map(({ partition, offset }) => ({ partition, offset: BigInt(offset) })),
      }))
      await admin.alterConsumerGroupOffsets({ groupId: group, topics })
    },
    delete: (group) => admin.deleteGroups({ groups: [group] }),
    close: () => admin.close(),
  }
}

function byTopic<T extends TopicPartition>(partitions: readonly T[]): [topic: string, partitions: T[]][] {
  const topics = new Map<string, T[]>()
  for (const each of partitions) topics.set(each.topic, [...(topics.get(each.topic) ?? []), each])
  return [...topics]
}

async function classicMembers(admin: Admin, id: string): Promise<GroupMember[]> {
  const group = (await admin.describeGroups({ groups: [id] })).get(id)
  return [...(group?.members.values() ?? [])].map(({ id, groupInstanceId, clientId, clientHost, assignments }) => ({
    member: id,
    instance: groupInstanceId ?? null,
    client: clientId,
    host: clientHost,
    partitions: [...(assignments?.values() ?? [])].flatMap(({ topic, partitions }) =>
      partitions.map((partition) => ({ topic, partition })),
    ),
  }))
}
/** The client library does not describe groups of KIP-848. */
async function membersByWire(
  world: World,
  admin: Admin,
  id: string,
  settings: ConnectionSettings,
): Promise<GroupMember[]> {
  const [coordinator] = await admin.findCoordinator({ keyType: ofGroups, keys: [id] })
  if (coordinator === undefined) throw new Error(`nobody coordinates group ${id}`)
  const request = { groupIds: [id], includeAuthorizedOperations: false }
  const connection = await BrokerConnection.open(world, coordinator, settings)
  const { groups } = await connection.ask(apis.consumerGroupDescribe, request).finally(() => connection.close())
  return (groups[0]?.members ?? []).map(({ memberId, instanceId, clientId, clientHost, assignment }) => ({
    member: memberId,
    instance: instanceId,
    client: clientId,
    host: clientHost,
    partitions: assignment.topicPartitions.flatMap(({ topicName, partitions }) =>
      partitions.map((partition) => ({ topic: topicName, partition })),
    ),
  }))
}
