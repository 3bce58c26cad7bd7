// SaslHandshake (key 17): the mechanism by which a client wants to prove who it is.
import { message } from '../message.ts'

export const saslHandshakeRequest = message({
  name: 'SaslHandshakeRequest',
  apiKey: 17,
  versions: '0-1',
  flexible: 'none',
  fields: {
    mechanism: { type: 'string', versions: '0+' },
  },
})

export const saslHandshakeResponse = message({
  name: 'SaslHandshakeResponse',
  apiKey: 17,
  versions: '0-1',
  flexible: 'none',
  fields: {
    errorCode: { type: 'int16', versions: '0+' },
    mechanisms: { type: 'array', versions: '0+', of: 'string' },
  },
})
