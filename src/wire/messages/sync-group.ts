// SyncGroup (key 14): the leader hands in what each member is to do; each member is handed its part.
import { message } from '../message.ts'

export const syncGroupRequest = message({
  name: 'SyncGroupRequest',
  apiKey: 14,
  versions: '0-5',
  flexible: '4+',
  fields: {
    groupId: { type: 'string', versions: '0+' },
    generationId: { type: 'int32', versions: '0+' },
    memberId: { type: 'string', versions: '0+' },
    groupInstanceId: { type: 'string', versions: '3+', nullable: '3+', default: null },
    protocolType: { type: 'string', versions: '5+', nullable: '5+', default: null },
    protocolName: { type: 'string', versions: '5+', nullable: '5+', default: null },
    assignments: {
      type: 'array',
      versions: '0+',
      of: { memberId: { type: 'string', versions: '0+' }, assignment: { type: 'bytes', versions: '0+' } },
    },
  },
})

export const syncGroupResponse = message({
  name: 'SyncGroupResponse',
  apiKey: 14,
  versions: '0-5',
  flexible: '4+',
  fields: {
    throttleTimeMs: { type: 'int32', versions: '1+', default: 0 },
    errorCode: { type: 'int16', versions: '0+' },
    protocolType: { type: 'string', versions: '5+', nullable: '5+', default: null },
    protocolName: { type: 'string', versions: '5+', nullable: '5+', default: null },
    assignment: { type: 'bytes', versions: '0+' },
  },
})
