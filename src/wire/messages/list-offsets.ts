// ListOffsets (key 2): the offsets at the ends of a partition, or at a time.
// Timestamps below 0 are questions: -1 latest, -2 earliest, -3 of the largest timestamp, -4 and -5 for tiered storage.
import { message } from '../message.ts'

export const listOffsetsRequest = message({
  name: 'ListOffsetsRequest',
  apiKey: 2,
  versions: '1-10',
  flexible: '6+',
  fields: {
    replicaId: { type: 'int32', versions: '0+' },
    isolationLevel: { type: 'int8', versions: '2+' },
    topics: {
      type: 'array',
      versions: '0+',
      of: {
        name: { type: 'string', versions: '0+' },
        partitions: {
          type: 'array',
          versions: '0+',
          of: {
            partitionIndex: { type: 'int32', versions: '0+' },
            currentLeaderEpoch: { type: 'int32', versions: '4+', default: -1 },
            timestamp: { type: 'int64', versions: '0+' },
          },
        },
      },
    },
    timeoutMs: { type: 'int32', versions: '10+' },
  },
})

export const listOffsetsResponse = message({
  name: 'ListOffsetsResponse',
  apiKey: 2,
  versions: '1-10',
  flexible: '6+',
  fields: {
    throttleTimeMs: { type: 'int32', versions: '2+', default: 0 },
    topics: {
      type: 'array',
      versions: '0+',
      of: {
        name: { type: 'string', versions: '0+' },
        partitions: {
          type: 'array',
          versions: '0+',
          of: {
            partitionIndex: { type: 'int32', versions: '0+' },
            errorCode: { type: 'int16', versions: '0+' },
            timestamp: { type: 'int64', versions: '1+', default: -1 },
            offset: { type: 'int64', versions: '1+', default: -1 },
            leaderEpoch: { type: 'int32', versions: '4+', default: -1 },
          },
        },
      },
    },
  },
})
