// DescribeClientQuotas (key 48): which quotas are set for which users and client ids.
import { message } from '../message.ts'

export const describeClientQuotasRequest = message({
  name: 'DescribeClientQuotasRequest',
  apiKey: 48,
  versions: '0-1',
  flexible: '1+',
  fields: {
    components: {
      type: 'array',
      versions: '0+',
      of: {
        entityType: { type: 'string', versions: '0+' },
        matchType: { type: 'int8', versions: '0+' },
        match: { type: 'string', versions: '0+', nullable: '0+' },
      },
    },
    strict: { type: 'bool', versions: '0+' },
  },
})

export const describeClientQuotasResponse = message({
  name: 'DescribeClientQuotasResponse',
  apiKey: 48,
  versions: '0-1',
  flexible: '1+',
  fields: {
    throttleTimeMs: { type: 'int32', versions: '0+', default: 0 },
    errorCode: { type: 'int16', versions: '0+' },
    errorMessage: { type: 'string', versions: '0+', nullable: '0+' },
    entries: {
      type: 'array',
      versions: '0+',
      nullable: '0+',
      of: {
        entity: {
          type: 'array',
          versions: '0+',
          of: {
            entityType: { type: 'string', versions: '0+' },
            entityName: { type: 'string', versions: '0+', nullable: '0+' },
          },
        },
        values: {
          type: 'array',
          versions: '0+',
          of: { key: { type: 'string', versions: '0+' }, value: { type: 'float64', versions: '0+' } },
        },
      },
    },
  },
})
