// DescribeTopicPartitions (key 75): topics in order of their names, page by page.
import { message } from '../message.ts'

export const describeTopicPartitionsRequest = message({
  name: 'DescribeTopicPartitionsRequest',
  apiKey: 75,
  versions: '0',
  flexible: '0+',
  fields: {
    topics: {
      type: 'array',
      versions: '0+',
      of: {
        name: { type: 'string', versions: '0+' },
      },
    },
    responsePartitionLimit: { type: 'int32', versions: '0+', default: 2000 },
    cursor: {
      type: 'struct',
      versions: '0+',
      nullable: '0+',
      default: null,
      fields: {
        topicName: { type: 'string', versions: '0+' },
        partitionIndex: { type: 'int32', versions: '0+' },
      },
    },
  },
})

export const describeTopicPartitionsResponse = message({
  name: 'DescribeTopicPartitionsResponse',
  apiKey: 75,
  versions: '0',
  flexible: '0+',
  fields: {
    throttleTimeMs: { type: 'int32', versions: '0+', default: 0 },
    topics: {
      type: 'array',
      versions: '0+',
      of: {
        errorCode: { type: 'int16', versions: '0+' },
        name: { type: 'string', versions: '0+', nullable: '0+' },
        topicId: { type: 'uuid', versions: '0+' },
        isInternal: { type: 'bool', versions: '0+', default: false },
        partitions: {
          type: 'array',
          versions: '0+',
          of: {
            errorCode: { type: 'int16', versions: '0+' },
            partitionIndex: { type: 'int32', versions: '0+' },
            leaderId: { type: 'int32', versions: '0+' },
            leaderEpoch: { type: 'int32', versions: '0+', default: -1 },
            replicaNodes: { type: 'array', versions: '0+', of: 'int32' },
            isrNodes: { type: 'array', versions: '0+', of: 'int32' },
            eligibleLeaderReplicas: { type: 'array', versions: '0+', nullable: '0+', default: null, of: 'int32' },
            lastKnownElr: { type: 'array', versions: '0+', nullable: '0+', default: null, of: 'int32' },
            offlineReplicas: { type: 'array', versions: '0+', of: 'int32' },
          },
        },
        topicAuthorizedOperations: { type: 'int32', versions: '0+', default: -2147483648 },
      },
    },
    nextCursor: {
      type: 'struct',
      versions: '0+',
      nullable: '0+',
      default: null,
      fields: {
        topicName: { type: 'string', versions: '0+' },
        partitionIndex: { type: 'int32', versions: '0+' },
      },
    },
  },
})
