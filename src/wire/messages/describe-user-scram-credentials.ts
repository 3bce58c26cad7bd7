// DescribeUserScramCredentials (key 50): which users have SCRAM credentials (KIP-554), never the credentials.
import { message } from '../message.ts'

export const describeUserScramCredentialsRequest = message({
  name: 'DescribeUserScramCredentialsRequest',
  apiKey: 50,
  versions: '0',
  flexible: '0+',
  fields: {
    users: {
      type: 'array',
      versions: '0+',
      nullable: '0+',
      of: { name: { type: 'string', versions: '0+' } },
    },
  },
})

export const describeUserScramCredentialsResponse = message({
  name: 'DescribeUserScramCredentialsResponse',
  apiKey: 50,
  versions: '0',
  flexible: '0+',
  fields: {
    throttleTimeMs: { type: 'int32', versions: '0+', default: 0 },
    errorCode: { type: 'int16', versions: '0+' },
    errorMessage: { type: 'string', versions: '0+', nullable: '0+' },
    results: {
      type: 'array',
      versions: '0+',
      of: {
        user: { type: 'string', versions: '0+' },
        errorCode: { type: 'int16', versions: '0+' },
        errorMessage: { type: 'string', versions: '0+', nullable: '0+' },
        credentialInfos: {
          type: 'array',
          versions: '0+',
          of: {
            mechanism: { type: 'int8', versions: '0+' },
            iterations: { type: 'int32', versions: '0+' },
          },
        },
      },
    },
  },
})
