// FindCoordinator (key 10): which broker looks after a group or a transactional producer.
// Several keys at once from version 4 on.
import { message } from '../message.ts'

export const findCoordinatorRequest = message({
  name: 'FindCoordinatorRequest',
  apiKey: 10,
  versions: '0-6',
  flexible: '3+',
  fields: {
    key: { type: 'string', versions: '0-3' },
    keyType: { type: 'int8', versions: '1+', default: 0 },
    coordinatorKeys: { type: 'array', versions: '4+', of: 'string' },
  },
})

export const findCoordinatorResponse = message({
  name: 'FindCoordinatorResponse',
  apiKey: 10,
  versions: '0-6',
  flexible: '3+',
  fields: {
    throttleTimeMs: { type: 'int32', versions: '1+', default: 0 },
    errorCode: { type: 'int16', versions: '0-3' },
    errorMessage: { type: 'string', versions: '1-3', nullable: '1-3' },
    nodeId: { type: 'int32', versions: '0-3' },
    host: { type: 'string', versions: '0-3' },
    port: { type: 'int32', versions: '0-3' },
    coordinators: {
      type: 'array',
      versions: '4+',
      of: {
        key: { type: 'string', versions: '4+' },
        nodeId: { type: 'int32', versions: '4+' },
        host: { type: 'string', versions: '4+' },
        port: { type: 'int32', versions: '4+' },
        errorCode: { type: 'int16', versions: '4+' },
        errorMessage: { type: 'string', versions: '4+', nullable: '4+' },
      },
    },
  },
})
