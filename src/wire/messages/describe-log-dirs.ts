// DescribeLogDirs (key 35): how much room partitions take on the disk.
import { message } from '../message.ts'

export const describeLogDirsRequest = message({
  name: 'DescribeLogDirsRequest',
  apiKey: 35,
  versions: '1-4',
  flexible: '2+',
  fields: {
    topics: {
      type: 'array',
      versions: '0+',
      nullable: '0+',
      of: {
        topic: { type: 'string', versions: '0+' },
        partitions: { type: 'array', versions: '0+', of: 'int32' },
      },
    },
  },
})

export const describeLogDirsResponse = message({
  name: 'DescribeLogDirsResponse',
  apiKey: 35,
  versions: '1-4',
  flexible: '2+',
  fields: {
    throttleTimeMs: { type: 'int32', versions: '0+', default: 0 },
    errorCode: { type: 'int16', versions: '3+' },
    results: {
      type: 'array',
      versions: '0+',
      of: {
        errorCode: { type: 'int16', versions: '0+' },
        logDir: { type: 'string', versions: '0+' },
        topics: {
          type: 'array',
          versions: '0+',
          of: {
            name: { type: 'string', versions: '0+' },
            partitions: {
              type: 'array',
              versions: '0+',
              of: {
                partitionIndex: { type: 'int32', versions: '0+' },
                partitionSize: { type: 'int64', versions: '0+' },
                offsetLag: { type: 'int64', versions: '0+' },
                isFutureKey: { type: 'bool', versions: '0+' },
              },
            },
          },
        },
        totalBytes: { type: 'int64', versions: '4+', default: -1 },
        usableBytes: { type: 'int64', versions: '4+', default: -1 },
      },
    },
  },
})
