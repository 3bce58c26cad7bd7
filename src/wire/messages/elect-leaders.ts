// ElectLeaders (key 43): the preferred leader, or an unclean one, for partitions. Null = all partitions.
import { message } from '../message.ts'

export const electLeadersRequest = message({
  name: 'ElectLeadersRequest',
  apiKey: 43,
  versions: '0-2',
  flexible: '2+',
  fields: {
    electionType: { type: 'int8', versions: '1+' },
    topicPartitions: {
      type: 'array',
      versions: '0+',
      nullable: '0+',
      of: {
        topic: { type: 'string', versions: '0+' },
        partitions: { type: 'array', versions: '0+', of: 'int32' },
      },
    },
    timeoutMs: { type: 'int32', versions: '0+', default: 60000 },
  },
})

export const electLeadersResponse = message({
  name: 'ElectLeadersResponse',
  apiKey: 43,
  versions: '0-2',
  flexible: '2+',
  fields: {
    throttleTimeMs: { type: 'int32', versions: '0+', default: 0 },
    errorCode: { type: 'int16', versions: '1+' },
    replicaElectionResults: {
      type: 'array',
      versions: '0+',
      of: {
        topic: { type: 'string', versions: '0+' },
        partitionResult: {
          type: 'array',
          versions: '0+',
          of: {
            partitionId: { type: 'int32', versions: '0+' },
            errorCode: { type: 'int16', versions: '0+' },
            errorMessage: { type: 'string', versions: '0+', nullable: '0+' },
          },
        },
      },
    },
  },
})
