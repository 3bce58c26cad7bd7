// OffsetForLeaderEpoch (key 23): where a leader epoch ended; how a consumer finds out that its log was cut.
import { message } from '../message.ts'

export const offsetForLeaderEpochRequest = message({
  name: 'OffsetForLeaderEpochRequest',
  apiKey: 23,
  versions: '2-4',
  flexible: '4+',
  fields: {
    replicaId: { type: 'int32', versions: '3+', default: -2 },
    topics: {
      type: 'array',
      versions: '0+',
      of: {
        topic: { type: 'string', versions: '0+' },
        partitions: {
          type: 'array',
          versions: '0+',
          of: {
            partition: { type: 'int32', versions: '0+' },
            currentLeaderEpoch: { type: 'int32', versions: '2+', default: -1 },
            leaderEpoch: { type: 'int32', versions: '0+' },
          },
        },
      },
    },
  },
})

export const offsetForLeaderEpochResponse = message({
  name: 'OffsetForLeaderEpochResponse',
  apiKey: 23,
  versions: '2-4',
  flexible: '4+',
  fields: {
    throttleTimeMs: { type: 'int32', versions: '2+', default: 0 },
    topics: {
      type: 'array',
      versions: '0+',
      of: {
        topic: { type: 'string', versions: '0+' },
        partitions: {
          type: 'array',
          versions: '0+',
          of: {
            errorCode: { type: 'int16', versions: '0+' },
            partition: { type: 'int32', versions: '0+' },
            leaderEpoch: { type: 'int32', versions: '1+', default: -1 },
            endOffset: { type: 'int64', versions: '0+', default: -1 },
          },
        },
      },
    },
  },
})
