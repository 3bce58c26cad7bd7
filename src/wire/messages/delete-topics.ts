// DeleteTopics (key 20): by name, from version 6 on by name or id.
import { message } from '../message.ts'

export const deleteTopicsRequest = message({
  name: 'DeleteTopicsRequest',
  apiKey: 20,
  versions: '1-6',
  flexible: '4+',
  fields: {
    topics: {
      type: 'array',
      versions: '6+',
      of: {
        name: { type: 'string', versions: '6+', nullable: '6+', default: null },
        topicId: { type: 'uuid', versions: '6+' },
      },
    },
    topicNames: { type: 'array', versions: '0-5', of: 'string' },
    timeoutMs: { type: 'int32', versions: '0+' },
  },
})

export const deleteTopicsResponse = message({
  name: 'DeleteTopicsResponse',
  apiKey: 20,
  versions: '1-6',
  flexible: '4+',
  fields: {
    throttleTimeMs: { type: 'int32', versions: '1+', default: 0 },
    responses: {
      type: 'array',
      versions: '0+',
      of: {
        name: { type: 'string', versions: '0+', nullable: '6+' },
        topicId: { type: 'uuid', versions: '6+' },
        errorCode: { type: 'int16', versions: '0+' },
        errorMessage: { type: 'string', versions: '5+', nullable: '5+', default: null },
      },
    },
  },
})
