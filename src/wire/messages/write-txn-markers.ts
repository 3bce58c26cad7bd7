// WriteTxnMarkers (key 27): ends transactions in partitions, without their coordinator.
import { message } from '../message.ts'

export const writeTxnMarkersRequest = message({
  name: 'WriteTxnMarkersRequest',
  apiKey: 27,
  versions: '1',
  flexible: '1+',
  fields: {
    markers: {
      type: 'array',
      versions: '0+',
      of: {
        producerId: { type: 'id64', versions: '0+' },
        producerEpoch: { type: 'int16', versions: '0+' },
        transactionResult: { type: 'bool', versions: '0+' },
        topics: {
          type: 'array',
          versions: '0+',
          of: {
            name: { type: 'string', versions: '0+' },
            partitionIndexes: { type: 'array', versions: '0+', of: 'int32' },
          },
        },
        coordinatorEpoch: { type: 'int32', versions: '0+' },
      },
    },
  },
})

export const writeTxnMarkersResponse = message({
  name: 'WriteTxnMarkersResponse',
  apiKey: 27,
  versions: '1',
  flexible: '1+',
  fields: {
    markers: {
      type: 'array',
      versions: '0+',
      of: {
        producerId: { type: 'id64', versions: '0+' },
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
                errorCode: { type: 'int16', versions: '0+' },
              },
            },
          },
        },
      },
    },
  },
})
