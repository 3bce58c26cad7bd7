// ConsumerGroupDescribe (key 69): the state of groups of KIP-848, who is in them, what each has and is to have.
import { type Fields, message } from '../message.ts'

const assignment = {
  topicPartitions: {
    type: 'array',
    versions: '0+',
    of: {
      topicId: { type: 'uuid', versions: '0+' },
      topicName: { type: 'string', versions: '0+' },
      partitions: { type: 'array', versions: '0+', of: 'int32' },
    },
  },
} as const satisfies Fields

export const consumerGroupDescribeRequest = message({
  name: 'ConsumerGroupDescribeRequest',
  apiKey: 69,
  versions: '0-1',
  flexible: '0+',
  fields: {
    groupIds: { type: 'array', versions: '0+', of: 'string' },
    includeAuthorizedOperations: { type: 'bool', versions: '0+' },
  },
})

export const consumerGroupDescribeResponse = message({
  name: 'ConsumerGroupDescribeResponse',
  apiKey: 69,
  versions: '0-1',
  flexible: '0+',
  fields: {
    throttleTimeMs: { type: 'int32', versions: '0+', default: 0 },
    groups: {
      type: 'array',
      versions: '0+',
      of: {
        errorCode: { type: 'int16', versions: '0+' },
        errorMessage: { type: 'string', versions: '0+', nullable: '0+', default: null },
        groupId: { type: 'string', versions: '0+' },
        groupState: { type: 'string', versions: '0+' },
        groupEpoch: { type: 'int32', versions: '0+' },
        assignmentEpoch: { type: 'int32', versions: '0+' },
        assignorName: { type: 'string', versions: '0+' },
        members: {
          type: 'array',
          versions: '0+',
          of: {
            memberId: { type: 'string', versions: '0+' },
            instanceId: { type: 'string', versions: '0+', nullable: '0+', default: null },
            rackId: { type: 'string', versions: '0+', nullable: '0+', default: null },
            memberEpoch: { type: 'int32', versions: '0+' },
            clientId: { type: 'string', versions: '0+' },
            clientHost: { type: 'string', versions: '0+' },
            subscribedTopicNames: { type: 'array', versions: '0+', of: 'string' },
            subscribedTopicRegex: { type: 'string', versions: '0+', nullable: '0+', default: null },
            assignment: { type: 'struct', versions: '0+', fields: assignment },
            targetAssignment: { type: 'struct', versions: '0+', fields: assignment },
            memberType: { type: 'int8', versions: '1+', default: -1 },
          },
        },
        authorizedOperations: { type: 'int32', versions: '0+', default: -2147483648 },
      },
    },
  },
})
