// DescribeConfigs (key 32): the settings of topics and brokers, and where each comes from.
import { message } from '../message.ts'

export const describeConfigsRequest = message({
  name: 'DescribeConfigsRequest',
  apiKey: 32,
  versions: '1-4',
  flexible: '4+',
  fields: {
    resources: {
      type: 'array',
      versions: '0+',
      of: {
        resourceType: { type: 'int8', versions: '0+' },
        resourceName: { type: 'string', versions: '0+' },
        configurationKeys: { type: 'array', versions: '0+', nullable: '0+', of: 'string' },
      },
    },
    includeSynonyms: { type: 'bool', versions: '1+', default: false },
    includeDocumentation: { type: 'bool', versions: '3+', default: false },
  },
})

export const describeConfigsResponse = message({
  name: 'DescribeConfigsResponse',
  apiKey: 32,
  versions: '1-4',
  flexible: '4+',
  fields: {
    throttleTimeMs: { type: 'int32', versions: '0+', default: 0 },
    results: {
      type: 'array',
      versions: '0+',
      of: {
        errorCode: { type: 'int16', versions: '0+' },
        errorMessage: { type: 'string', versions: '0+', nullable: '0+' },
        resourceType: { type: 'int8', versions: '0+' },
        resourceName: { type: 'string', versions: '0+' },
        configs: {
          type: 'array',
          versions: '0+',
          of: {
            name: { type: 'string', versions: '0+' },
            value: { type: 'string', versions: '0+', nullable: '0+' },
            readOnly: { type: 'bool', versions: '0+' },
            configSource: { type: 'int8', versions: '1+', default: -1 },
            isSensitive: { type: 'bool', versions: '0+' },
            synonyms: {
              type: 'array',
              versions: '1+',
              of: {
                name: { type: 'string', versions: '1+' },
                value: { type: 'string', versions: '1+', nullable: '0+' },
                source: { type: 'int8', versions: '1+' },
              },
            },
            configType: { type: 'int8', versions: '3+', default: 0 },
            documentation: { type: 'string', versions: '3+', nullable: '0+' },
          },
        },
      },
    },
  },
})
