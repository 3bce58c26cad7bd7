// CreateTopics (key 19).
import { message } from '../message.ts'

export const createTopicsRequest = message({
  name: 'CreateTopicsRequest',
  apiKey: 19,
  versions: '2-7',
  flexible: '5+',
  fields: {
    topics: {
      type: 'array',
      versions: '0+',
      of: {
        name: { type: 'string', versions: '0+' },
        numPartitions: { type: 'int32', versions: '0+' },
        replicationFactor: { type: 'int16', versions: '0+' },
        assignments: {
          type: 'array',
          versions: '0+',
          of: {
            partitionIndex: { type: 'int32', versions: '0+' },
            brokerIds: { type: 'array', versions: '0+', of: 'int32' },
          },
        },
        configs: {
          type: 'array',
          versions: '0+',
          of: {
            name: { type: 'string', versions: '0+' },
            value: { type: 'string', versions: '0+', nullable: '0+' },
          },
        },
      },
    },
    timeoutMs: { type: 'int32', versions: '0+', default: 60000 },
    validateOnly: { type: 'bool', versions: '1+', default: false },
  },
})

export const createTopicsResponse = message({
  name: 'CreateTopicsResponse',
  apiKey: 19,
  versions: '2-7',
  flexible: '5+',
  fields: {
    throttleTimeMs: { type: 'int32', versions: '2+', default: 0 },
    topics: {
      type: 'array',
      versions: '0+',
      of: {
        name: { type: 'string', versions: '0+' },
        topicId: { type: 'uuid', versions: '7+' },
        errorCode: { type: 'int16', versions: '0+' },
        errorMessage: { type: 'string', versions: '1+', nullable: '0+' },
        topicConfigErrorCode: { type: 'int16', versions: '5+', tag: 0 },
        numPartitions: { type: 'int32', versions: '5+', default: -1 },
        replicationFactor: { type: 'int16', versions: '5+', default: -1 },
        configs: {
          type: 'array',
          versions: '5+',
          nullable: '5+',
          of: {
            name: { type: 'string', versions: '5+' },
            value: { type: 'string', versions: '5+', nullable: '5+' },
            readOnly: { type: 'bool', versions: '5+' },
            configSource: { type: 'int8', versions: '5+', default: -1 },
            isSensitive: { type: 'bool', versions: '5+' },
          },
        },
      },
    },
  },
})
