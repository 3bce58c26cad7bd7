// Metadata (key 3): brokers, topics, partitions and their leaders.
// All topics: an empty list in version 0, null from version 1 on (there, empty means none).
import { message } from '../message.ts'

export const metadataRequest = message({
  name: 'MetadataRequest',
  apiKey: 3,
  versions: '0-13',
  flexible: '9+',
  fields: {
    topics: {
      type: 'array',
      versions: '0+',
      nullable: '1+',
      of: {
        topicId: { type: 'uuid', versions: '10+' },
        name: { type: 'string', versions: '0+', nullable: '10+' },
      },
    },
    allowAutoTopicCreation: { type: 'bool', versions: '4+', default: true },
    includeClusterAuthorizedOperations: { type: 'bool', versions: '8-10' },
    includeTopicAuthorizedOperations: { type: 'bool', versions: '8+' },
  },
})

export const metadataResponse = message({
  name: 'MetadataResponse',
  apiKey: 3,
  versions: '0-13',
  flexible: '9+',
  fields: {
    throttleTimeMs: { type: 'int32', versions: '3+', default: 0 },
    brokers: {
      type: 'array',
      versions: '0+',
      of: {
        nodeId: { type: 'int32', versions: '0+' },
        host: { type: 'string', versions: '0+' },
        port: { type: 'int32', versions: '0+' },
        rack: { type: 'string', versions: '1+', nullable: '1+', default: null },
      },
    },
    clusterId: { type: 'string', versions: '2+', nullable: '2+', default: null },
    controllerId: { type: 'int32', versions: '1+', default: -1 },
    topics: {
      type: 'array',
      versions: '0+',
      of: {
        errorCode: { type: 'int16', versions: '0+' },
        name: { type: 'string', versions: '0+', nullable: '12+' },
        topicId: { type: 'uuid', versions: '10+' },
        isInternal: { type: 'bool', versions: '1+', default: false },
        partitions: {
          type: 'array',
          versions: '0+',
          of: {
            errorCode: { type: 'int16', versions: '0+' },
            partitionIndex: { type: 'int32', versions: '0+' },
            leaderId: { type: 'int32', versions: '0+' },
            leaderEpoch: { type: 'int32', versions: '7+', default: -1 },
            replicaNodes: { type: 'array', versions: '0+', of: 'int32' },
            isrNodes: { type: 'array', versions: '0+', of: 'int32' },
            offlineReplicas: { type: 'array', versions: '5+', of: 'int32' },
          },
        },
        topicAuthorizedOperations: { type: 'int32', versions: '8+', default: -2147483648 },
      },
    },
    clusterAuthorizedOperations: { type: 'int32', versions: '8-10', default: -2147483648 },
    errorCode: { type: 'int16', versions: '13+' },
  },
})
