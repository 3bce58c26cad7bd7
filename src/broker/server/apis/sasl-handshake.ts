// SaslHandshake 0-1 (key 17): the mechanism of a login. After version 0 its messages come bare, as frames without a header;
// after version 1 by SaslAuthenticate. While logged in, the beginning of another login (KIP-368).
// Left out: GSSAPI, OAUTHBEARER, delegation tokens.
import { kafkaErrors, type RequestOf, type ResponseTo } from '../../../wire/wire.ts'
import type { Asking } from '../serving.ts'

export function saslHandshake(
  { mechanism }: RequestOf<'saslHandshake'>,
  { session, version }: Asking,
): ResponseTo<'saslHandshake'> {
  return { errorCode: kafkaErrors[session.handshake(mechanism, version)], mechanisms: session.mechanisms }
}
