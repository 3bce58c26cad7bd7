// ListPartitionReassignments (key 46): moves of replicas that are under way.
import { message } from '../message.ts'

export const listPartitionReassignmentsRequest = message({
  name: 'ListPartitionReassignmentsRequest',
  apiKey: 46,
  versions: '0',
  flexible: '0+',
  fields: {
    timeoutMs: { type: 'int32', versions: '0+', default: 60000 },
    topics: {
      type: 'array',
      versions: '0+',
      nullable: '0+',
      default: null,
      of: {
        name: { type: 'string', versions: '0+' },
        partitionIndexes: { type: 'array', versions: '0+', of: 'int32' },
      },
    },
  },
})

export const listPartitionReassignmentsResponse = message({
  name: 'ListPartitionReassignmentsResponse',
  apiKey: 46,
  versions: '0',
  flexible: '0+',
  fields: {
    throttleTimeMs: { type: 'int32', versions: '0+', default: 0 },
    errorCode: { type: 'int16', versions: '0+' },
    errorMessage: { type: 'string', versions: '0+', nullable: '0+' },
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
            replicas: { type: 'array', versions: '0+', of: 'int32' },
            addingReplicas: { type: 'array', versions: '0+', of: 'int32' },
            removingReplicas: { type: 'array', versions: '0+', of: 'int32' },
          },
        },
      },
    },
  },
})
