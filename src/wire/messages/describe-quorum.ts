// DescribeQuorum (key 55): who keeps the metadata log, and how far each has come.
import { message } from '../message.ts'

export const describeQuorumRequest = message({
  name: 'DescribeQuorumRequest',
  apiKey: 55,
  versions: '0-2',
  flexible: '0+',
  fields: {
    topics: {
      type: 'array',
      versions: '0+',
      of: {
        topicName: { type: 'string', versions: '0+' },
        partitions: {
          type: 'array',
          versions: '0+',
          of: {
            partitionIndex: { type: 'int32', versions: '0+' },
          },
        },
      },
    },
  },
})

export const describeQuorumResponse = message({
  name: 'DescribeQuorumResponse',
  apiKey: 55,
  versions: '0-2',
  flexible: '0+',
  fields: {
    errorCode: { type: 'int16', versions: '0+' },
    errorMessage: { type: 'string', versions: '2+', nullable: '2+' },
    topics: {
      type: 'array',
      versions: '0+',
      of: {
        topicName: { type: 'string', versions: '0+' },
        partitions: {
          type: 'array',
          versions: '0+',
          of: {
            partitionIndex: { type: 'int32', versions: '0+' },
            errorCode: { type: 'int16', versions: '0+' },
            errorMessage: { type: 'string', versions: '2+', nullable: '2+' },
            leaderId: { type: 'int32', versions: '0+' },
            leaderEpoch: { type: 'int32', versions: '0+' },
            highWatermark: { type: 'int64', versions: '0+' },
            currentVoters: {
              type: 'array',
              versions: '0+',
              of: {
                replicaId: { type: 'int32', versions: '0+' },
                replicaDirectoryId: { type: 'uuid', versions: '2+' },
                logEndOffset: { type: 'int64', versions: '0+' },
                lastFetchTimestamp: { type: 'int64', versions: '1+', default: -1 },
                lastCaughtUpTimestamp: { type: 'int64', versions: '1+', default: -1 },
              },
            },
            observers: {
              type: 'array',
              versions: '0+',
              of: {
                replicaId: { type: 'int32', versions: '0+' },
                replicaDirectoryId: { type: 'uuid', versions: '2+' },
                logEndOffset: { type: 'int64', versions: '0+' },
                lastFetchTimestamp: { type: 'int64', versions: '1+', default: -1 },
                lastCaughtUpTimestamp: { type: 'int64', versions: '1+', default: -1 },
              },
            },
          },
        },
      },
    },
    nodes: {
      type: 'array',
      versions: '2+',
      of: {
        nodeId: { type: 'int32', versions: '2+' },
        listeners: {
          type: 'array',
          versions: '2+',
          of: {
            name: { type: 'string', versions: '2+' },
            host: { type: 'string', versions: '2+' },
            port: { type: 'uint16', versions: '2+' },
          },
        },
      },
    },
  },
})
