// OffsetFetch (key 9): how far groups have come. One group until version 7, several from version 8 on; null for its topics
// (from version 2 on) asks for all it has committed.
import { message } from '../message.ts'

export const offsetFetchRequest = message({
  name: 'OffsetFetchRequest',
  apiKey: 9,
  versions: '1-9',
  flexible: '6+',
  fields: {
    groupId: { type: 'string', versions: '0-7' },
    topics: {
      type: 'array',
      versions: '0-7',
      nullable: '2-7',
      of: {
        name: { type: 'string', versions: '0-7' },
        partitionIndexes: { type: 'array', versions: '0-7', of: 'int32' },
      },
    },
    groups: {
      type: 'array',
      versions: '8+',
      of: {
        groupId: { type: 'string', versions: '8+' },
        memberId: { type: 'string', versions: '9+', nullable: '9+', default: null },
        memberEpoch: { type: 'int32', versions: '9+', default: -1 },
        topics: {
          type: 'array',
          versions: '8+',
          nullable: '8+',
          of: {
            name: { type: 'string', versions: '8-9' },
            partitionIndexes: { type: 'array', versions: '8+', of: 'int32' },
          },
        },
      },
    },
    requireStable: { type: 'bool', versions: '7+', default: false },
  },
})

export const offsetFetchResponse = message({
  name: 'OffsetFetchResponse',
  apiKey: 9,
  versions: '1-9',
  flexible: '6+',
  fields: {
    throttleTimeMs: { type: 'int32', versions: '3+', default: 0 },
    topics: {
      type: 'array',
      versions: '0-7',
      default: [],
      of: {
        name: { type: 'string', versions: '0-7' },
        partitions: {
          type: 'array',
          versions: '0-7',
          of: {
            partitionIndex: { type: 'int32', versions: '0-7' },
            committedOffset: { type: 'int64', versions: '0-7' },
            committedLeaderEpoch: { type: 'int32', versions: '5-7', default: -1 },
            metadata: { type: 'string', versions: '0-7', nullable: '0-7' },
            errorCode: { type: 'int16', versions: '0-7' },
          },
        },
      },
    },
    errorCode: { type: 'int16', versions: '2-7', default: 0 },
    groups: {
      type: 'array',
      versions: '8+',
      default: [],
      of: {
        groupId: { type: 'string', versions: '8+' },
        topics: {
          type: 'array',
          versions: '8+',
          of: {
            name: { type: 'string', versions: '8-9' },
            partitions: {
              type: 'array',
              versions: '8+',
              of: {
                partitionIndex: { type: 'int32', versions: '8+' },
                committedOffset: { type: 'int64', versions: '8+' },
                committedLeaderEpoch: { type: 'int32', versions: '8+', default: -1 },
                metadata: { type: 'string', versions: '8+', nullable: '8+' },
                errorCode: { type: 'int16', versions: '8+' },
              },
            },
          },
        },
        errorCode: { type: 'int16', versions: '8+', default: 0 },
      },
    },
  },
})
