// ListConfigResources (key 74): what has settings, by type. Version 0 asked for client metrics only.
import { message } from '../message.ts'

export const listConfigResourcesRequest = message({
  name: 'ListConfigResourcesRequest',
  apiKey: 74,
  versions: '0-1',
  flexible: '0+',
  fields: {
    resourceTypes: { type: 'array', versions: '1+', of: 'int8' },
  },
})

export const listConfigResourcesResponse = message({
  name: 'ListConfigResourcesResponse',
  apiKey: 74,
  versions: '0-1',
  flexible: '0+',
  fields: {
    throttleTimeMs: { type: 'int32', versions: '0+', default: 0 },
    errorCode: { type: 'int16', versions: '0+' },
    configResources: {
      type: 'array',
      versions: '0+',
      of: {
        resourceName: { type: 'string', versions: '0+' },
        resourceType: { type: 'int8', versions: '1+', default: 16 },
      },
    },
  },
})
