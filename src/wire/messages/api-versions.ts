// ApiVersions (key 18): which requests, in which versions, and which features the broker serves.
// A request of a version we do not know is answered with version 0 and UNSUPPORTED_VERSION; see the server.
import { message } from '../message.ts'

export const apiVersionsRequest = message({
  name: 'ApiVersionsRequest',
  apiKey: 18,
  versions: '0-4',
  flexible: '3+',
  fields: {
    clientSoftwareName: { type: 'string', versions: '3+' },
    clientSoftwareVersion: { type: 'string', versions: '3+' },
  },
})

export const apiVersionsResponse = message({
  name: 'ApiVersionsResponse',
  apiKey: 18,
  versions: '0-4',
  flexible: '3+',
  fields: {
    errorCode: { type: 'int16', versions: '0+' },
    apiKeys: {
      type: 'array',
      versions: '0+',
      of: {
        apiKey: { type: 'int16', versions: '0+' },
        minVersion: { type: 'int16', versions: '0+' },
        maxVersion: { type: 'int16', versions: '0+' },
      },
    },
    throttleTimeMs: { type: 'int32', versions: '1+', default: 0 },
    supportedFeatures: {
      type: 'array',
      versions: '3+',
      tag: 0,
      default: [],
      of: {
        name: { type: 'string', versions: '3+' },
        minVersion: { type: 'int16', versions: '3+' },
        maxVersion: { type: 'int16', versions: '3+' },
      },
    },
    finalizedFeaturesEpoch: { type: 'int64', versions: '3+', tag: 1, default: -1 },
    finalizedFeatures: {
      type: 'array',
      versions: '3+',
      tag: 2,
      default: [],
      of: {
        name: { type: 'string', versions: '3+' },
        maxVersionLevel: { type: 'int16', versions: '3+' },
        minVersionLevel: { type: 'int16', versions: '3+' },
      },
    },
    zkMigrationReady: { type: 'bool', versions: '3+', tag: 3, default: false },
  },
})
