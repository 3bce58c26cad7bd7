// Produce (key 0): record batches to append.
// Versions 0 to 2 carried older record formats; they are offered (KAFKA-18659) but not served.
import { message } from '../message.ts'

export const produceRequest = message({
  name: 'ProduceRequest',
  apiKey: 0,
  versions: '3-13',
  flexible: '9+',
  fields: {
    transactionalId: { type: 'string', versions: '3+', nullable: '3+', default: null },
    acks: { type: 'int16', versions: '0+' },
    timeoutMs: { type: 'int32', versions: '0+' },
    topicData: {
      type: 'array',
      versions: '0+',
      of: {
        name: { type: 'string', versions: '0-12' },
        topicId: { type: 'uuid', versions: '13+' },
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

export const produceResponse = message({
  name: 'ProduceResponse',
  apiKey: 0,
  versions: '3-13',
  flexible: '9+',
  fields: {
    responses: {
      type: 'array',
      versions: '0+',
      of: {
        name: { type: 'string', versions: '0-12' },
        topicId: { type: 'uuid', versions: '13+' },
        partitionResponses: {
          type: 'array',
          versions: '0+',
          of: {
            index: { type: 'int32', versions: '0+' },
            errorCode: { type: 'int16', versions: '0+' },
            baseOffset: { type: 'int64', versions: '0+' },
            logAppendTimeMs: { type: 'int64', versions: '2+', default: -1 },
            logStartOffset: { type: 'int64', versions: '5+', default: -1 },
            recordErrors: {
              type: 'array',
              versions: '8+',
              of: {
                batchIndex: { type: 'int32', versions: '8+' },
                batchIndexErrorMessage: { type: 'string', versions: '8+', nullable: '8+', default: null },
              },
            },
            errorMessage: { type: 'string', versions: '8+', nullable: '8+', default: null },
            currentLeader: {
              type: 'struct',
              versions: '10+',
              tag: 0,
              fields: {
                leaderId: { type: 'int32', versions: '10+', default: -1 },
                leaderEpoch: { type: 'int32', versions: '10+', default: -1 },
              },
            },
          },
        },
      },
    },
    throttleTimeMs: { type: 'int32', versions: '1+', default: 0 },
    nodeEndpoints: {
      type: 'array',
      versions: '10+',
      tag: 0,
      default: [],
      of: {
        nodeId: { type: 'int32', versions: '10+' },
        host: { type: 'string', versions: '10+' },
        port: { type: 'int32', versions: '10+' },
        rack: { type: 'string', versions: '10+', nullable: '10+', default: null },
      },
    },
  },
})
