// AddPartitionsToTxn (key 24): partitions that a transaction is about to write to.
// From version 4 on for several transactions at once, or to ask whether they are in theirs (`verifyOnly`).
import { message } from '../message.ts'

export const addPartitionsToTxnRequest = message({
  name: 'AddPartitionsToTxnRequest',
  apiKey: 24,
  versions: '0-5',
  flexible: '3+',
  fields: {
    transactions: {
      type: 'array',
      versions: '4+',
      of: {
        transactionalId: { type: 'string', versions: '4+' },
        producerId: { type: 'id64', versions: '4+' },
        producerEpoch: { type: 'int16', versions: '4+' },
        verifyOnly: { type: 'bool', versions: '4+', default: false },
        topics: {
          type: 'array',
          versions: '4+',
          of: {
            name: { type: 'string', versions: '0+' },
            partitions: { type: 'array', versions: '0+', of: 'int32' },
          },
        },
      },
    },
    v3AndBelowTransactionalId: { type: 'string', versions: '0-3' },
    v3AndBelowProducerId: { type: 'id64', versions: '0-3' },
    v3AndBelowProducerEpoch: { type: 'int16', versions: '0-3' },
    v3AndBelowTopics: {
      type: 'array',
      versions: '0-3',
      of: {
        name: { type: 'string', versions: '0+' },
        partitions: { type: 'array', versions: '0+', of: 'int32' },
      },
    },
  },
})

export const addPartitionsToTxnResponse = message({
  name: 'AddPartitionsToTxnResponse',
  apiKey: 24,
  versions: '0-5',
  flexible: '3+',
  fields: {
    throttleTimeMs: { type: 'int32', versions: '0+', default: 0 },
    errorCode: { type: 'int16', versions: '4+' },
    resultsByTransaction: {
      type: 'array',
      versions: '4+',
      of: {
        transactionalId: { type: 'string', versions: '4+' },
        topicResults: {
          type: 'array',
          versions: '4+',
          of: {
            name: { type: 'string', versions: '0+' },
            resultsByPartition: {
              type: 'array',
              versions: '0+',
              of: {
                partitionIndex: { type: 'int32', versions: '0+' },
                partitionErrorCode: { type: 'int16', versions: '0+' },
              },
            },
          },
        },
      },
    },
    resultsByTopicV3AndBelow: {
      type: 'array',
      versions: '0-3',
      of: {
        name: { type: 'string', versions: '0+' },
        resultsByPartition: {
          type: 'array',
          versions: '0+',
          of: {
            partitionIndex: { type: 'int32', versions: '0+' },
            partitionErrorCode: { type: 'int16', versions: '0+' },
          },
        },
      },
    },
  },
})
