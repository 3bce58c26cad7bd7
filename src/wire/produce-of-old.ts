// Produce in versions 0 to 2 (key 0): older record formats, which nobody stores any more. Only to be refused in words that
// their clients read. From Kafka 3.9's definitions; newer ones no longer have them.
import { message } from './message.ts'

export const produceOfOldRequest = message({
  name: 'ProduceOfOldRequest',
  apiKey: 0,
  versions: '0-2',
  flexible: 'none',
  fields: {
    acks: { type: 'int16', versions: '0+' },
    timeoutMs: { type: 'int32', versions: '0+' },
    topicData: {
      type: 'array',
      versions: '0+',
      of: {
        name: { type: 'string', versions: '0+' },
        partitionData: {
          type: 'array',
          versions: '0+',
          of: {
            index: { type: 'int32', versions: '0+' },
            records: { type: 'records', versions: '0+', nullable: '0+' },
          },
        },
      },
    },
  },
})

export const produceOfOldResponse = message({
  name: 'ProduceOfOldResponse',
  apiKey: 0,
  versions: '0-2',
  flexible: 'none',
  fields: {
    responses: {
      type: 'array',
      versions: '0+',
      of: {
        name: { type: 'string', versions: '0+' },
        partitionResponses: {
          type: 'array',
          versions: '0+',
          of: {
            index: { type: 'int32', versions: '0+' },
            errorCode: { type: 'int16', versions: '0+' },
            baseOffset: { type: 'int64', versions: '0+' },
            logAppendTimeMs: { type: 'int64', versions: '2+', default: -1 },
          },
        },
      },
    },
    throttleTimeMs: { type: 'int32', versions: '1+', default: 0 },
  },
})
