// AlterClientQuotas (key 49): sets and removes quotas of users and client ids.
import { message } from '../message.ts'

export const alterClientQuotasRequest = message({
  name: 'AlterClientQuotasRequest',
  apiKey: 49,
  versions: '0-1',
  flexible: '1+',
  fields: {
    entries: {
      type: 'array',
      versions: '0+',
      of: {
        entity: {
          type: 'array',
          versions: '0+',
          of: {
            entityType: { type: 'string', versions: '0+' },
            entityName: { type: 'string', versions: '0+', nullable: '0+' },
          },
        },
        ops: {
          type: 'array',
          versions: '0+',
          of: {
            key: { type: 'string', versions: '0+' },
            value: { type: 'float64', versions: '0+' },
            remove: { type: 'bool', versions: '0+' },
          },
        },
      },
    },
    validateOnly: { type: 'bool', versions: '0+' },
  },
})

export const alterClientQuotasResponse = message({
  name: 'AlterClientQuotasResponse',
  apiKey: 49,
  versions: '0-1',
  flexible: '1+',
  fields: {
    throttleTimeMs: { type: 'int32', versions: '0+', default: 0 },
    entries: {
      type: 'array',
      versions: '0+',
      of: {
        errorCode: { type: 'int16', versions: '0+' },
        errorMessage: { type: 'string', versions: '0+', nullable: '0+' },
        entity: {
          type: 'array',
          versions: '0+',
          of: {
            entityType: { type: 'string', versions: '0+' },
            entityName: { type: 'string', versions: '0+', nullable: '0+' },
          },
        },
      },
    },
  },
})
