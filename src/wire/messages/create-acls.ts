// CreateAcls (key 30): new access rules.
import { message } from '../message.ts'

export const createAclsRequest = message({
  name: 'CreateAclsRequest',
  apiKey: 30,
  versions: '1-3',
  flexible: '2+',
  fields: {
    creations: {
      type: 'array',
      versions: '0+',
      of: {
        resourceType: { type: 'int8', versions: '0+' },
        resourceName: { type: 'string', versions: '0+' },
        resourcePatternType: { type: 'int8', versions: '1+', default: 3 },
        principal: { type: 'string', versions: '0+' },
        host: { type: 'string', versions: '0+' },
        operation: { type: 'int8', versions: '0+' },
        permissionType: { type: 'int8', versions: '0+' },
      },
    },
  },
})

export const createAclsResponse = message({
  name: 'CreateAclsResponse',
  apiKey: 30,
  versions: '1-3',
  flexible: '2+',
  fields: {
    throttleTimeMs: { type: 'int32', versions: '0+', default: 0 },
    results: {
      type: 'array',
      versions: '0+',
      of: {
        errorCode: { type: 'int16', versions: '0+' },
        errorMessage: { type: 'string', versions: '0+', nullable: '0+' },
      },
    },
  },
})
