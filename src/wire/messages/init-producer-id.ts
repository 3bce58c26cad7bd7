// InitProducerId (key 22): an identity for an idempotent or transactional producer.
// Version 6 (two-phase commit, KIP-939) is unstable in Kafka and not declared.
import { message } from '../message.ts'

export const initProducerIdRequest = message({
  name: 'InitProducerIdRequest',
  apiKey: 22,
  versions: '0-5',
  flexible: '2+',
  fields: {
    transactionalId: { type: 'string', versions: '0+', nullable: '0+' },
    transactionTimeoutMs: { type: 'int32', versions: '0+' },
    producerId: { type: 'id64', versions: '3+', default: -1n },
    producerEpoch: { type: 'int16', versions: '3+', default: -1 },
  },
})

export const initProducerIdResponse = message({
  name: 'InitProducerIdResponse',
  apiKey: 22,
  versions: '0-5',
  flexible: '2+',
  fields: {
    throttleTimeMs: { type: 'int32', versions: '0+', default: 0 },
    errorCode: { type: 'int16', versions: '0+' },
    producerId: { type: 'id64', versions: '0+', default: -1n },
    producerEpoch: { type: 'int16', versions: '0+' },
  },
})
