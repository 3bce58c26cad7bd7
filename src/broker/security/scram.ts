// SCRAM, the server's side (RFC 5802, RFC 7677): a password is proved without being sent, against a verifier from which it
// cannot be had back. Pure: who the users are and where nonces come from is the caller's.
//
//   client first   n,,n=<user>,r=<client nonce>
//   server first   r=<client nonce><server nonce>,s=<salt, base64>,i=<iterations>
//   client final   c=<the header "n,,", base64>,r=<both nonces>,p=<proof, base64>
//   server final   v=<the server's signature, base64>
//
// As in Kafka passwords are taken as their UTF-8 bytes, without SASLprep. No channel binding, no other identity than the user.
import { createHash, createHmac, pbkdf2Sync, timingSafeEqual } from 'node:crypto'

export const scramMechanisms = ['SCRAM-SHA-256', 'SCRAM-SHA-512'] as const
export type ScramMechanism = (typeof scramMechanisms)[number]
export const isScramMechanism = (name: string): name is ScramMechanism => scramMechanisms.some((each) => each === name)

/** What is known of a user's password. */
export interface ScramVerifier {
  readonly salt: Uint8Array
  readonly iterations: number
  readonly storedKey: Uint8Array
  readonly serverKey: Uint8Array
}
/** As in Kafka. */
export const iterationsMin = 4_096
export const iterationsMax = 16_384

const hashes: Readonly<Record<ScramMechanism, { readonly name: string; readonly bytes: number }>> = {
  'SCRAM-SHA-256': { name: 'sha256', bytes: 32 },
  'SCRAM-SHA-512': { name: 'sha512', bytes: 64 },
}
/** Bytes of a key, and of a salted password. */
export const keyBytes = (mechanism: ScramMechanism): number => hashes[mechanism].bytes
const hmac = (mechanism: ScramMechanism, key: Uint8Array, data: Uint8Array | string): Uint8Array =>
  createHmac(hashes[mechanism].name, key).update(data).digest()
const hash = (mechanism: ScramMechanism, data: Uint8Array): Uint8Array =>
  createHash(hashes[mechanism].name).update(data).digest()

/** Takes milliseconds. */
export function verifierOf(
  mechanism: ScramMechanism,
  password: string,
  salt: Uint8Array,
  iterations: number,
): ScramVerifier {
  const { name, bytes } = hashes[mechanism]
  return verifierOfSalted(mechanism, pbkdf2Sync(password, salt, iterations, bytes, name), salt, iterations)
}
export function verifierOfSalted(
  mechanism: ScramMechanism,
  saltedPassword: Uint8Array,
  salt: Uint8Array,
  iterations: number,
): ScramVerifier {
  const storedKey = hash(mechanism, hmac(mechanism, saltedPassword, 'Client Key'))
  return { salt, iterations, storedKey, serverKey: hmac(mechanism, saltedPassword, 'Server Key') }
}
/** Is it the password of the verifier? Takes milliseconds, the same whether it is or not. */
export function isPassword(mechanism: ScramMechanism, password: string, verifier: ScramVerifier): boolean {
  const { storedKey } = verifierOf(mechanism, password, verifier.salt, verifier.iterations)
  return timingSafeEqual(storedKey, verifier.storedKey)
}

/** The client does not keep to the protocol. Says nothing about users and passwords. */
export class SaslMessageError extends Error {
  override name = 'SaslMessageError'
}

/** What the server remembers between the client's two messages. */
export interface ScramBegun {
  readonly user: string
  readonly verifier: ScramVerifier
  readonly header: string
  readonly clientNonce: string
  /** Of both. */
  readonly nonce: string
  readonly firstMessages: string
}

/** Characters of a nonce of the client. */
const nonceMax = 512
const decoder = new TextDecoder('utf-8', { fatal: true })

/** Reads the client's first message. `verifierFor` has one for every name: an invented one for those nobody has. */
export function beginScram(
  message: Uint8Array,
  serverNonce: string,
  verifierFor: (user: string) => ScramVerifier,
): { readonly begun: ScramBegun; readonly answer: string } {
  const text = textOf(message)
  // gs2 header: channel binding flag, authzid; then `n=`, `r=`, extensions. A mandatory extension (`m=`) comes first.
  const parts = /^([ny],(?:a=([^,]*))?,)n=([^,]+),r=([!-+\--~]+)(?:,.*)?$/s.exec(text)
  if (parts === null) throw new SaslMessageError('the first SCRAM message of the client is not one')
  const [, header, authzid, saslName, clientNonce] = parts
  const user = nameOf(saslName ?? '')
  if (authzid !== undefined && authzid !== '' && nameOf(authzid) !== user) {
    throw new SaslMessageError('SCRAM: to act as somebody else is not served')
  }
  if (clientNonce === undefined || clientNonce.length > nonceMax)
    throw new SaslMessageError('SCRAM: the nonce is too long')
  const verifier = verifierFor(user)
  const nonce = clientNonce + serverNonce
  const answer = `r=${nonce},s=${base64(verifier.salt)},i=${verifier.iterations}`
  const bare = text.slice(header?.length ?? 0)
  return {
    begun: { user, verifier, header: header ?? '', clientNonce, nonce, firstMessages: `${bare},${answer}` },
    answer,
  }
}

/** The server's last message, or null: the proof is not one. */
export function endScram(mechanism: ScramMechanism, begun: ScramBegun, message: Uint8Array): string | null {
  const text = textOf(message)
  const parts = /^(c=([A-Za-z0-9+/=]+),r=([^,]+)(?:,.*)?),p=([A-Za-z0-9+/=]+)$/s.exec(text)
  if (parts === null) throw new SaslMessageError('the last SCRAM message of the client is not one')
  const [, withoutProof, binding, nonce, proofText] = parts
  // librdkafka before 2.6.1 says its own nonce twice (confluentinc/librdkafka#4895); the proof covers what it says.
  const isNonce = nonce === begun.nonce || nonce === begun.clientNonce + begun.nonce
  if (Buffer.from(binding ?? '', 'base64').toString() !== begun.header || !isNonce) {
    throw new SaslMessageError('the last SCRAM message of the client does not go with its first one')
  }
  const { storedKey, serverKey } = begun.verifier
  const proof = Buffer.from(proofText ?? '', 'base64')
  if (proof.length !== storedKey.length) return null
  const authMessage = `${begun.firstMessages},${withoutProof}`
  const signature = hmac(mechanism, storedKey, authMessage)
  const clientKey = proof.map((byte, i) => byte ^ signature[i]!)
  if (!timingSafeEqual(hash(mechanism, clientKey), storedKey)) return null
  return `v=${base64(hmac(mechanism, serverKey, authMessage))}`
}

function textOf(message: Uint8Array): string {
  try {
    return decoder.decode(message)
  } catch {
    throw new SaslMessageError('a SCRAM message is UTF-8')
  }
}
/** `=2C` is a comma and `=3D` an equals sign; no other `=` may stand in a name. */
function nameOf(saslName: string): string {
  if (/=(?!2C|3D)/.test(saslName))
    throw new SaslMessageError('SCRAM: the name of the user is not encoded as it should be')
  return saslName.replaceAll('=2C', ',').replaceAll('=3D', '=')
}
const base64 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64')
