// JoinGroup (key 11): a member enters a group, or a rebalance. The answer comes when the rebalance is complete; the leader
// is told all members and their metadata, of the protocol that was chosen.
import { message } from '../message.ts'

export const joinGroupRequest = message({
  name: 'JoinGroupRequest',
  apiKey: 11,
  versions: '0-9',
  flexible: '6+',
  fields: {
    groupId: { type: 'string', versions: '0+' },
    sessionTimeoutMs: { type: 'int32', versions: '0+' },
    rebalanceTimeoutMs: { type: 'int32', versions: '1+', default: -1 },
    memberId: { type: 'string', versions: '0+' },
    groupInstanceId: { type: 'string', versions: '5+', nullable: '5+', default: null },
    protocolType: { type: 'string', versions: '0+' },
    protocols: {
      type: 'array',
      versions: '0+',
      of: { name: { type: 'string', versions: '0+' }, metadata: { type: 'bytes', versions: '0+' } },
    },
    reason: { type: 'string', versions: '8+', nullable: '8+', default: null },
  },
})

export const joinGroupResponse = message({
  name: 'JoinGroupResponse',
  apiKey: 11,
  versions: '0-9',
  flexible: '6+',
  fields: {
    throttleTimeMs: { type: 'int32', versions: '2+', default: 0 },
    errorCode: { type: 'int16', versions: '0+' },
    generationId: { type: 'int32', versions: '0+', default: -1 },
    protocolType: { type: 'string', versions: '7+', nullable: '7+', default: null },
    protocolName: { type: 'string', versions: '0+', nullable: '7+' },
    leader: { type: 'string', versions: '0+' },
    skipAssignment: { type: 'bool', versions: '9+', default: false },
    memberId: { type: 'string', versions: '0+' },
    members: {
      type: 'array',
      versions: '0+',
      of: {
        memberId: { type: 'string', versions: '0+' },
        groupInstanceId: { type: 'string', versions: '5+', nullable: '5+', default: null },
        metadata: { type: 'bytes', versions: '0+' },
      },
    },
  },
})
