// ListTransactions (key 66): the transactional ids, by state, producer, age or pattern.
import { message } from '../message.ts'

export const listTransactionsRequest = message({
  name: 'ListTransactionsRequest',
  apiKey: 66,
  versions: '0-2',
  flexible: '0+',
  fields: {
    stateFilters: { type: 'array', versions: '0+', of: 'string' },
    producerIdFilters: { type: 'array', versions: '0+', of: 'id64' },
    durationFilter: { type: 'int64', versions: '1+', default: -1 },
    transactionalIdPattern: { type: 'string', versions: '2+', nullable: '2+', default: null },
  },
})

export const listTransactionsResponse = message({
  name: 'ListTransactionsResponse',
  apiKey: 66,
  versions: '0-2',
  flexible: '0+',
  fields: {
    throttleTimeMs: { type: 'int32', versions: '0+', default: 0 },
    errorCode: { type: 'int16', versions: '0+' },
    unknownStateFilters: { type: 'array', versions: '0+', of: 'string' },
    transactionStates: {
      type: 'array',
      versions: '0+',
      of: {
        transactionalId: { type: 'string', versions: '0+' },
        producerId: { type: 'id64', versions: '0+' },
        transactionState: { type: 'string', versions: '0+' },
      },
    },
  },
})
