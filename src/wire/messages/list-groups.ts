// ListGroups (key 16): all groups, or those in some states or of some types.
import { message } from '../message.ts'

export const listGroupsRequest = message({
  name: 'ListGroupsRequest',
  apiKey: 16,
  versions: '0-5',
  flexible: '3+',
  fields: {
    statesFilter: { type: 'array', versions: '4+', of: 'string' },
    typesFilter: { type: 'array', versions: '5+', of: 'string' },
  },
})

export const listGroupsResponse = message({
  name: 'ListGroupsResponse',
  apiKey: 16,
  versions: '0-5',
  flexible: '3+',
  fields: {
    throttleTimeMs: { type: 'int32', versions: '1+', default: 0 },
    errorCode: { type: 'int16', versions: '0+' },
    groups: {
      type: 'array',
      versions: '0+',
      of: {
        groupId: { type: 'string', versions: '0+' },
        protocolType: { type: 'string', versions: '0+' },
        groupState: { type: 'string', versions: '4+' },
        groupType: { type: 'string', versions: '5+' },
      },
    },
  },
})
