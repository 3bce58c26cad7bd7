// Every served API in its first and last version, asked by somebody who may nothing: nothing is seen, nothing is changed.
// An API that is added must be added here.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { partitionId } from '../../std/units.ts'
import { BatchWriter } from '../../wire/batch-writer.ts'
import { type ApiName, apis, kafkaErrors, readResponse } from '../../wire/wire.ts'
import { nodeWorld } from '../../world/node.ts'
import { type Broker, openBroker } from '../broker.ts'
import { RawClient } from './raw-client.suite.ts'

const world = nodeWorld()
const password = 'secret'
const topic = 'hidden-topic'
const group = 'hidden-group'
const transaction = 'hidden-transaction'
const user = 'hidden-user'
const value = 'hidden-value'
const note = 'hidden-note'
const hidden = [topic, group, transaction, user, value, note, 'fresh-topic']

let broker: Broker
let port: number
let topicId = new Uint8Array(16)
let records = new Uint8Array(0)
const here = () => ({ host: '127.0.0.1', port })

async function loggedIn(name: string): Promise<RawClient> {
  const client = await RawClient.connect(world, here())
  assert.equal((await client.ask('saslHandshake', 1, { mechanism: 'PLAIN' })).errorCode, 0)
  const answer = await client.ask('saslAuthenticate', 2, { authBytes: Buffer.from(`\0${name}\0${password}`) })
  assert.equal(answer.errorCode, 0, answer.errorMessage ?? '')
  return client
}

before(async () => {
  broker = await openBroker(world, {
    dataDir: null,
    durability: 'power',
    superUsers: ['root'],
    users: ['root', 'nobody'].map((name) => ({ user: name, password })),
  })
  port = (await broker.listen({ host: '127.0.0.1', port: 0, sasl: ['PLAIN'] })).port
  topicId = new Uint8Array((await broker.createTopic({ name: topic, partitions: 2 })).id)
  const writer = new BatchWriter({ compression: 'none' })
  writer.append(Buffer.from('key'), Buffer.from(value), 1_000)
  records = new Uint8Array(writer.finish())
  await broker.append(topic, partitionId(0), records)
  const root = await loggedIn('root')
  const committed = { partitionIndex: 0, committedOffset: 1, committedLeaderEpoch: -1, committedMetadata: note }
  const answer = await root.ask('offsetCommit', 8, {
    groupId: group,
    generationIdOrMemberEpoch: -1,
    memberId: '',
    topics: [{ name: topic, partitions: [committed] }],
  })
  assert.equal(answer.topics[0]?.partitions[0]?.errorCode, 0)
  const salted = { name: user, mechanism: 2, iterations: 4_096, salt: Buffer.from('salt') }
  await root.ask('alterUserScramCredentials', 0, {
    deletions: [],
    upsertions: [{ ...salted, saltedPassword: new Uint8Array(64) }],
  })
  const rule = { ...rules, resourceName: topic, resourcePatternType: 3, principal: `User:${user}`, host: '*' }
  const made = await root.ask('createAcls', 3, { creations: [{ ...rule, operation: 3, permissionType: 3 }] })
  assert.equal(made.results[0]?.errorCode, 0)
  const begun = await root.ask('initProducerId', 4, {
    transactionalId: transaction,
    transactionTimeoutMs: 60_000,
    producerId: -1n,
    producerEpoch: -1,
  })
  assert.equal(begun.errorCode, 0)
  root.socket.destroy()
})
after(() => broker.close())

const rules = { resourceType: 2 }
const anyRule = {
  resourceTypeFilter: 1,
  resourceNameFilter: null,
  patternTypeFilter: 1,
  principalFilter: null,
  hostFilter: null,
  operation: 1,
  permissionType: 1,
}
const member = { groupId: group, memberId: 'm', groupInstanceId: null, generationId: 1 }
const named = (version: number, idSince: number) => (version >= idSince ? { topicId } : { name: topic })
const txn = { transactionalId: transaction, producerId: 1n, producerEpoch: 0 }

/**
 * `refused`: asks for something by its name, and hears that it may not; `open`: asks for all there is, and hears nothing of
 * what is hidden. The body by the version.
 */
type Ask = readonly [kind: 'refused' | 'open', body: (version: number) => object]
const asks: { readonly [Name in ApiName]: readonly Ask[] } = {
  apiVersions: [['open', () => ({ clientSoftwareName: 'x', clientSoftwareVersion: '1' })]],
  saslHandshake: [],
  saslAuthenticate: [],
  produce: [
    [
      'refused',
      (version) => ({
        acks: -1,
        timeoutMs: 1_000,
        topicData: [{ ...named(version, 13), partitionData: [{ index: 0, records }] }],
      }),
    ],
  ],
  fetch: [
    [
      'refused',
      (version) => ({
        maxWaitMs: 0,
        minBytes: 1,
        maxBytes: 1 << 20,
        sessionEpoch: -1,
        topics: [
          {
            topic,
            topicId: version >= 13 ? topicId : new Uint8Array(16),
            partitions: [
              {
                partition: 0,
                fetchOffset: 0,
                partitionMaxBytes: 1 << 20,
                currentLeaderEpoch: -1,
                lastFetchedEpoch: -1,
                logStartOffset: -1,
                replicaDirectoryId: new Uint8Array(16),
                highWatermark: 2 ** 63,
              },
            ],
          },
        ],
      }),
    ],
  ],
  listOffsets: [
    [
      'refused',
      () => ({
        replicaId: -1,
        topics: [{ name: topic, partitions: [{ partitionIndex: 0, timestamp: -1, currentLeaderEpoch: -1 }] }],
      }),
    ],
  ],
  metadata: [
    ['open', (version) => ({ topics: version === 0 ? [] : null })],
    ['refused', () => ({ topics: [{ name: topic, topicId: new Uint8Array(16) }], allowAutoTopicCreation: true })],
    [
      'refused',
      () => ({ topics: [{ name: 'fresh-topic', topicId: new Uint8Array(16) }], allowAutoTopicCreation: true }),
    ],
  ],
  offsetCommit: [
    [
      'refused',
      () => ({
        groupId: group,
        generationIdOrMemberEpoch: -1,
        memberId: '',
        topics: [
          { name: topic, topicId, partitions: [{ partitionIndex: 0, committedOffset: 0, committedMetadata: '' }] },
        ],
      }),
    ],
  ],
  offsetFetch: [
    [
      'refused',
      () => ({
        groupId: group,
        topics: [{ name: topic, topicId, partitionIndexes: [0] }],
        groups: [
          {
            groupId: group,
            memberId: null,
            memberEpoch: -1,
            topics: [{ name: topic, topicId, partitionIndexes: [0] }],
          },
        ],
      }),
    ],
  ],
  findCoordinator: [['refused', () => ({ key: group, keyType: 0, coordinatorKeys: [group] })]],
  joinGroup: [
    [
      'refused',
      () => ({
        ...member,
        sessionTimeoutMs: 10_000,
        rebalanceTimeoutMs: 10_000,
        protocolType: 'consumer',
        protocols: [{ name: 'range', metadata: new Uint8Array(0) }],
      }),
    ],
  ],
  heartbeat: [['refused', () => member]],
  leaveGroup: [['refused', () => ({ ...member, members: [{ memberId: 'm', groupInstanceId: null }] })]],
  syncGroup: [['refused', () => ({ ...member, assignments: [] })]],
  describeGroups: [['refused', () => ({ groups: [group], includeAuthorizedOperations: true })]],
  listGroups: [['open', () => ({})]],
  createTopics: [
    [
      'refused',
      () => ({
        topics: [{ name: 'fresh-topic', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }],
        timeoutMs: 1_000,
      }),
    ],
  ],
  deleteTopics: [
    [
      'refused',
      (version) => ({
        topicNames: version < 6 ? [topic] : [],
        topics: version < 6 ? [] : [{ name: null, topicId }],
        timeoutMs: 1_000,
      }),
    ],
  ],
  initProducerId: [
    ['refused', () => ({ transactionalId: null, transactionTimeoutMs: 1_000, producerId: -1n, producerEpoch: -1 })],
    ['refused', () => ({ ...txn, transactionTimeoutMs: 1_000 })],
  ],
  describeConfigs: [
    ['refused', () => ({ resources: [{ resourceType: 2, resourceName: topic, configurationKeys: null }] })],
    ['refused', () => ({ resources: [{ resourceType: 4, resourceName: '1', configurationKeys: null }] })],
  ],
  alterConfigs: [
    [
      'refused',
      () => ({
        resources: [{ resourceType: 2, resourceName: topic, configs: [{ name: 'retention.ms', value: '1' }] }],
      }),
    ],
    [
      'refused',
      () => ({
        resources: [{ resourceType: 4, resourceName: '1', configs: [{ name: 'num.partitions', value: '2' }] }],
      }),
    ],
  ],
  incrementalAlterConfigs: [
    [
      'refused',
      () => ({
        resources: [
          { resourceType: 2, resourceName: topic, configs: [{ name: 'retention.ms', configOperation: 0, value: '1' }] },
        ],
      }),
    ],
  ],
  deleteGroups: [['refused', () => ({ groupsNames: [group] })]],
  offsetDelete: [
    ['refused', () => ({ groupId: group, topics: [{ name: topic, partitions: [{ partitionIndex: 0 }] }] })],
  ],
  describeAcls: [['refused', () => anyRule]],
  createAcls: [
    [
      'refused',
      () => ({
        creations: [
          {
            ...rules,
            resourceName: '*',
            resourcePatternType: 3,
            principal: 'User:nobody',
            host: '*',
            operation: 2,
            permissionType: 3,
          },
        ],
      }),
    ],
  ],
  deleteAcls: [['refused', () => ({ filters: [anyRule] })]],
  describeUserScramCredentials: [['refused', () => ({ users: null })]],
  alterUserScramCredentials: [['refused', () => ({ deletions: [{ name: user, mechanism: 2 }], upsertions: [] })]],
  createPartitions: [
    [
      'refused',
      () => ({ topics: [{ name: topic, count: 5, assignments: null }], timeoutMs: 1_000, validateOnly: false }),
    ],
  ],
  deleteRecords: [
    [
      'refused',
      () => ({ topics: [{ name: topic, partitions: [{ partitionIndex: 0, offset: -1 }] }], timeoutMs: 1_000 }),
    ],
  ],
  describeClientQuotas: [['refused', () => ({ components: [], strict: false })]],
  alterClientQuotas: [
    [
      'refused',
      () => ({
        entries: [
          {
            entity: [{ entityType: 'user', entityName: 'nobody' }],
            ops: [{ key: 'producer_byte_rate', value: 1, remove: false }],
          },
        ],
        validateOnly: false,
      }),
    ],
  ],
  // Below version 3 it has no error of its own: nothing is told.
  describeLogDirs: [['open', () => ({ topics: null })]],
  electLeaders: [
    ['refused', () => ({ electionType: 0, topicPartitions: [{ topic, partitions: [0] }], timeoutMs: 1_000 })],
  ],
  alterPartitionReassignments: [
    [
      'refused',
      () => ({ timeoutMs: 1_000, topics: [{ name: topic, partitions: [{ partitionIndex: 0, replicas: [1] }] }] }),
    ],
  ],
  listPartitionReassignments: [['refused', () => ({ timeoutMs: 1_000, topics: null })]],
  describeQuorum: [['refused', () => ({ topics: [] })]],
  updateFeatures: [['refused', () => ({ featureUpdates: [], timeoutMs: 1_000 })]],
  describeCluster: [['open', () => ({ endpointType: 1, includeClusterAuthorizedOperations: true })]],
  describeTopicPartitions: [
    ['open', () => ({ topics: [], responsePartitionLimit: 100, cursor: null })],
    ['refused', () => ({ topics: [{ name: topic }], responsePartitionLimit: 100, cursor: null })],
  ],
  listConfigResources: [['refused', () => ({ resourceTypes: [] })]],
  describeProducers: [['refused', () => ({ topics: [{ name: topic, partitionIndexes: [0] }] })]],
  describeTransactions: [['refused', () => ({ transactionalIds: [transaction] })]],
  listTransactions: [
    ['open', () => ({ stateFilters: [], producerIdFilters: [], durationFilter: -1, transactionalIdPattern: null })],
  ],
  offsetForLeaderEpoch: [
    [
      'refused',
      () => ({
        replicaId: -1,
        topics: [{ topic, partitions: [{ partition: 0, currentLeaderEpoch: -1, leaderEpoch: 0 }] }],
      }),
    ],
  ],
  addPartitionsToTxn: [
    [
      'refused',
      (version) => {
        const topics = [{ name: topic, partitions: [0] }]
        const v3 = {
          v3AndBelowTransactionalId: transaction,
          v3AndBelowProducerId: 1n,
          v3AndBelowProducerEpoch: 0,
          v3AndBelowTopics: topics,
        }
        return version < 4 ? v3 : { transactions: [{ ...txn, verifyOnly: false, topics }] }
      },
    ],
  ],
  addOffsetsToTxn: [['refused', () => ({ ...txn, groupId: group })]],
  endTxn: [['refused', () => ({ ...txn, committed: true })]],
  txnOffsetCommit: [
    [
      'refused',
      () => ({
        ...txn,
        groupId: group,
        generationId: -1,
        memberId: '',
        groupInstanceId: null,
        topics: [
          {
            name: topic,
            partitions: [{ partitionIndex: 0, committedOffset: 0, committedLeaderEpoch: -1, committedMetadata: '' }],
          },
        ],
      }),
    ],
  ],
  writeTxnMarkers: [
    [
      'refused',
      () => ({
        markers: [
          {
            producerId: 1n,
            producerEpoch: 0,
            transactionResult: false,
            topics: [{ name: topic, partitionIndexes: [0] }],
            coordinatorEpoch: 0,
          },
        ],
      }),
    ],
  ],
  consumerGroupHeartbeat: [
    [
      'refused',
      () => ({
        groupId: group,
        memberId: 'AAAAAAAAAAAAAAAAAAAAAQ',
        memberEpoch: 0,
        instanceId: null,
        rackId: null,
        rebalanceTimeoutMs: 10_000,
        subscribedTopicNames: [topic],
        subscribedTopicRegex: null,
        serverAssignor: null,
        topicPartitions: [],
      }),
    ],
  ],
  consumerGroupDescribe: [['refused', () => ({ groupIds: [group], includeAuthorizedOperations: true })]],
}

const authorizationErrors: ReadonlySet<number> = new Set([
  kafkaErrors.TOPIC_AUTHORIZATION_FAILED,
  kafkaErrors.GROUP_AUTHORIZATION_FAILED,
  kafkaErrors.CLUSTER_AUTHORIZATION_FAILED,
  kafkaErrors.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
])
/** All error codes anywhere in an answer. */
function codesIn(answer: unknown): number[] {
  if (typeof answer !== 'object' || answer === null || answer instanceof Uint8Array) return []
  return Object.entries(answer).flatMap(([key, value]) =>
    /errorCode$/i.test(key) && typeof value === 'number' ? [value] : codesIn(value),
  )
}
/** All that a client could have changed. */
const everything = () =>
  JSON.stringify({
    topics: broker
      .topics()
      .map((each) => [
        each,
        Array.from({ length: each.partitions }, (_, i) => broker.offsets(each.name, partitionId(i))),
      ]),
    settings: broker.settings.all(),
    groups: broker.groupOffsets.all(group),
    committed: broker.groupOffsets.committed(group, { topic, partition: 0 }),
    configs: broker.configDefaults,
  })

describe('somebody who may nothing', () => {
  for (const name of Object.keys(apis) as ApiName[]) {
    const { versions, key } = apis[name]
    for (const version of new Set([versions.min, versions.max])) {
      const list =
        asks[name] ?? assert.fail(`${name} is served: say in this file how it is asked by somebody who may nothing`)
      for (const [kind, body] of list) {
        test(`${name} ${version} (${key}): ${kind}`, async () => {
          const before = everything()
          const client = await loggedIn('nobody')
          client.send(name, version, body(version) as never)
          const frame = await client.frame()
          assert.ok(frame !== null, 'the connection ended without an answer')
          const text = Buffer.from(frame).toString('latin1')
          const answer: { readonly body: unknown } = readResponse(apis[name] as never, version, frame) as never
          const codes = codesIn(answer.body)
          if (kind === 'refused') {
            assert.ok(
              codes.some((code) => authorizationErrors.has(code)),
              `error codes ${codes}`,
            )
            assert.ok(!text.includes(value) && !text.includes(note))
          } else for (const each of hidden) assert.ok(!text.includes(each), `${each} is in the answer`)
          assert.equal(everything(), before)
          client.socket.destroy()
        })
      }
    }
  }
})
