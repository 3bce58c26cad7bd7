// Fetch (key 1): record batches from given offsets on.
// Version 4 is the first with record format 2; topics are named by id from version 13 on.
import { message } from '../message.ts'

export const fetchRequest = message({
  name: 'FetchRequest',
  apiKey: 1,
  versions: '4-18',
  flexible: '12+',
  fields: {
    clusterId: { type: 'string', versions: '12+', nullable: '12+', tag: 0, default: null },
    replicaId: { type: 'int32', versions: '0-14', default: -1 },
    replicaState: {
      type: 'struct',
      versions: '15+',
      tag: 1,
      fields: {
        replicaId: { type: 'int32', versions: '15+', default: -1 },
        replicaEpoch: { type: 'int64', versions: '15+', default: -1 },
      },
    },
    maxWaitMs: { type: 'int32', versions: '0+' },
    minBytes: { type: 'int32', versions: '0+' },
    maxBytes: { type: 'int32', versions: '3+', default: 0x7fffffff },
    isolationLevel: { type: 'int8', versions: '4+', default: 0 },
    sessionId: { type: 'int32', versions: '7+', default: 0 },
    sessionEpoch: { type: 'int32', versions: '7+', default: -1 },
    topics: {
      type: 'array',
      versions: '0+',
      of: {
        topic: { type: 'string', versions: '0-12' },
        topicId: { type: 'uuid', versions: '13+' },
        partitions: {
          type: 'array',
          versions: '0+',
          of: {
            partition: { type: 'int32', versions: '0+' },
            currentLeaderEpoch: { type: 'int32', versions: '9+', default: -1 },
            fetchOffset: { type: 'int64', versions: '0+' },
            lastFetchedEpoch: { type: 'int32', versions: '12+', default: -1 },
            logStartOffset: { type: 'int64', versions: '5+', default: -1 },
            partitionMaxBytes: { type: 'int32', versions: '0+' },
            replicaDirectoryId: { type: 'uuid', versions: '17+', tag: 0 },
            highWatermark: { type: 'int64', versions: '18+', tag: 1, default: 2 ** 63 },
          },
        },
      },
    },
    forgottenTopicsData: {
      type: 'array',
      versions: '7+',
      of: {
        topic: { type: 'string', versions: '7-12' },
        topicId: { type: 'uuid', versions: '13+' },
        partitions: { type: 'array', versions: '7+', of: 'int32' },
      },
    },
    rackId: { type: 'string', versions: '11+', default: '' },
  },
})

export const fetchResponse = message({
  name: 'FetchResponse',
  apiKey: 1,
  versions: '4-18',
  flexible: '12+',
  fields: {
    throttleTimeMs: { type: 'int32', versions: '1+', default: 0 },
    errorCode: { type: 'int16', versions: '7+' },
    sessionId: { type: 'int32', versions: '7+', default: 0 },
    responses: {
      type: 'array',
      versions: '0+',
      of: {
        topic: { type: 'string', versions: '0-12' },
        topicId: { type: 'uuid', versions: '13+' },
        partitions: {
          type: 'array',
          versions: '0+',
          of: {
            partitionIndex: { type: 'int32', versions: '0+' },
            errorCode: { type: 'int16', versions: '0+' },
            highWatermark: { type: 'int64', versions: '0+' },
            lastStableOffset: { type: 'int64', versions: '4+', default: -1 },
            logStartOffset: { type: 'int64', versions: '5+', default: -1 },
            divergingEpoch: {
              type: 'struct',
              versions: '12+',
              tag: 0,
              fields: {
                epoch: { type: 'int32', versions: '12+', default: -1 },
                endOffset: { type: 'int64', versions: '12+', default: -1 },
              },
            },
            currentLeader: {
              type: 'struct',
              versions: '12+',
              tag: 1,
              fields: {
                leaderId: { type: 'int32', versions: '12+', default: -1 },
                leaderEpoch: { type: 'int32', versions: '12+', default: -1 },
              },
            },
            snapshotId: {
              type: 'struct',
              versions: '12+',
              tag: 2,
              fields: {
                endOffset: { type: 'int64', versions: '0+', default: -1 },
                epoch: { type: 'int32', versions: '0+', default: -1 },
              },
            },
            abortedTransactions: {
              type: 'array',
              versions: '4+',
              nullable: '4+',
              of: {
                producerId: { type: 'id64', versions: '4+' },
                firstOffset: { type: 'int64', versions: '4+' },
              },
            },
            preferredReadReplica: { type: 'int32', versions: '11+', default: -1 },
            records: { type: 'records', versions: '0+', nullable: '0+' },
          },
        },
      },
    },
    nodeEndpoints: {
      type: 'array',
      versions: '16+',
      tag: 0,
      default: [],
      of: {
        nodeId: { type: 'int32', versions: '16+' },
        host: { type: 'string', versions: '16+' },
        port: { type: 'int32', versions: '16+' },
        rack: { type: 'string', versions: '16+', nullable: '16+', default: null },
      },
    },
  },
})
