// DescribeTransactions (key 65): what the coordinator knows of transactional ids.
import { message } from '../message.ts'

export const describeTransactionsRequest = message({
  name: 'DescribeTransactionsRequest',
  apiKey: 65,
  versions: '0',
  flexible: '0+',
  fields: {
    transactionalIds: { type: 'array', versions: '0+', of: 'string' },
  },
})

export const describeTransactionsResponse = message({
  name: 'DescribeTransactionsResponse',
  apiKey: 65,
  versions: '0',
  flexible: '0+',
  fields: {
    throttleTimeMs: { type: 'int32', versions: '0+', default: 0 },
    transactionStates: {
      type: 'array',
      versions: '0+',
      of: {
        errorCode: { type: 'int16', versions: '0+' },
        transactionalId: { type: 'string', versions: '0+' },
        transactionState: { type: 'string', versions: '0+' },
        transactionTimeoutMs: { type: 'int32', versions: '0+' },
        transactionStartTimeMs: { type: 'int64', versions: '0+' },
        producerId: { type: 'id64', versions: '0+' },
        producerEpoch: { type: 'int16', versions: '0+' },
        topics: {
          type: 'array',
          versions: '0+',
          of: {
            topic: { type: 'string', versions: '0+' },
            partitions: { type: 'array', versions: '0+', of: 'int32' },
          },
        },
      },
    },
  },
})
