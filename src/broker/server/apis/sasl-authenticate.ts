// SaslAuthenticate 0-2 (key 36): one message of the mechanism, and the answer to it. What has failed is said late and without
// a reason, and the connection ends.
import { kafkaErrors, type RequestOf, type ResponseTo } from '../../../wire/wire.ts'
import type { Asking } from '../serving.ts'

export async function saslAuthenticate(
  { authBytes }: RequestOf<'saslAuthenticate'>,
  { session }: Asking,
): Promise<ResponseTo<'saslAuthenticate'>> {
  const { error, message, bytes, lifetimeMs } = await session.authenticate(authBytes)
  return { errorCode: kafkaErrors[error], errorMessage: message, authBytes: bytes, sessionLifetimeMs: lifetimeMs }
}
