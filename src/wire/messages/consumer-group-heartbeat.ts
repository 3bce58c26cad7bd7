// ConsumerGroupHeartbeat (key 68): a member of a group of KIP-848 joins, lives, reports what it owns, leaves.
// From version 1 on the client makes its member id (KIP-1082) and may subscribe by a regular expression.
import { message } from '../message.ts'

export const consumerGroupHeartbeatRequest = message({
  name: 'ConsumerGroupHeartbeatRequest',
  apiKey: 68,
  versions: '0-1',
  flexible: '0+',
  fields: {
    groupId: { type: 'string', versions: '0+' },
    memberId: { type: 'string', versions: '0+' },
    memberEpoch: { type: 'int32', versions: '0+' },
    instanceId: { type: 'string', versions: '0+', nullable: '0+', default: null },
    rackId: { type: 'string', versions: '0+', nullable: '0+', default: null },
    rebalanceTimeoutMs: { type: 'int32', versions: '0+', default: -1 },
    subscribedTopicNames: { type: 'array', versions: '0+', nullable: '0+', of: 'string', default: null },
    subscribedTopicRegex: { type: 'string', versions: '1+', nullable: '1+', default: null },
    serverAssignor: { type: 'string', versions: '0+', nullable: '0+', default: null },
    topicPartitions: {
      type: 'array',
      versions: '0+',
      nullable: '0+',
      of: { topicId: { type: 'uuid', versions: '0+' }, partitions: { type: 'array', versions: '0+', of: 'int32' } },
      default: null,
    },
  },
})

export const consumerGroupHeartbeatResponse = message({
  name: 'ConsumerGroupHeartbeatResponse',
  apiKey: 68,
  versions: '0-1',
  flexible: '0+',
  fields: {
    throttleTimeMs: { type: 'int32', versions: '0+', default: 0 },
    errorCode: { type: 'int16', versions: '0+' },
    errorMessage: { type: 'string', versions: '0+', nullable: '0+', default: null },
    memberId: { type: 'string', versions: '0+', nullable: '0+', default: null },
    memberEpoch: { type: 'int32', versions: '0+' },
    heartbeatIntervalMs: { type: 'int32', versions: '0+' },
    assignment: {
      type: 'struct',
      versions: '0+',
      nullable: '0+',
      fields: {
        topicPartitions: {
          type: 'array',
          versions: '0+',
          of: { topicId: { type: 'uuid', versions: '0+' }, partitions: { type: 'array', versions: '0+', of: 'int32' } },
        },
      },
    },
  },
})
