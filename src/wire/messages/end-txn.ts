// EndTxn (key 26): commits or aborts a transaction. From version 5 on the answer carries the raised epoch (KIP-890).
import { message } from '../message.ts'

export const endTxnRequest = message({
  name: 'EndTxnRequest',
  apiKey: 26,
  versions: '0-5',
  flexible: '3+',
  fields: {
    transactionalId: { type: 'string', versions: '0+' },
    producerId: { type: 'id64', versions: '0+' },
    producerEpoch: { type: 'int16', versions: '0+' },
    committed: { type: 'bool', versions: '0+' },
  },
})

export const endTxnResponse = message({
  name: 'EndTxnResponse',
  apiKey: 26,
  versions: '0-5',
  flexible: '3+',
  fields: {
    throttleTimeMs: { type: 'int32', versions: '0+', default: 0 },
    errorCode: { type: 'int16', versions: '0+' },
    producerId: { type: 'id64', versions: '5+', default: -1n },
    producerEpoch: { type: 'int16', versions: '5+', default: -1 },
  },
})
