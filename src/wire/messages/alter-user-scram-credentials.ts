// AlterUserScramCredentials (key 51): sets and removes SCRAM credentials (KIP-554).
import { message } from '../message.ts'

export const alterUserScramCredentialsRequest = message({
  name: 'AlterUserScramCredentialsRequest',
  apiKey: 51,
  versions: '0',
  flexible: '0+',
  fields: {
    deletions: {
      type: 'array',
      versions: '0+',
      of: {
        name: { type: 'string', versions: '0+' },
        mechanism: { type: 'int8', versions: '0+' },
      },
    },
    upsertions: {
      type: 'array',
      versions: '0+',
      of: {
        name: { type: 'string', versions: '0+' },
        mechanism: { type: 'int8', versions: '0+' },
        iterations: { type: 'int32', versions: '0+' },
        salt: { type: 'bytes', versions: '0+' },
        saltedPassword: { type: 'bytes', versions: '0+' },
      },
    },
  },
})

export const alterUserScramCredentialsResponse = message({
  name: 'AlterUserScramCredentialsResponse',
  apiKey: 51,
  versions: '0',
  flexible: '0+',
  fields: {
    throttleTimeMs: { type: 'int32', versions: '0+', default: 0 },
    results: {
      type: 'array',
      versions: '0+',
      of: {
        user: { type: 'string', versions: '0+' },
        errorCode: { type: 'int16', versions: '0+' },
        errorMessage: { type: 'string', versions: '0+', nullable: '0+' },
      },
    },
  },
})
