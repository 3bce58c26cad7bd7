// The client's side of a login: PLAIN (RFC 4616) or SCRAM (RFC 5802), over SaslHandshake and SaslAuthenticate. The server has to
// prove that it knows the password, too, where the mechanism lets it.
import { createHash, createHmac, pbkdf2, timingSafeEqual } from 'node:crypto'
import { apis } from '../../wire/wire.ts'
import type { World } from '../../world/world.ts'
import type { SaslLogin } from '../kafka-access.ts'
import type { BrokerConnection } from './connection.ts'
import { KafkaRefusal, kafkaErrorOf } from './refusal.ts'

const nonceBytes = 18
/** A server that asks for more would keep us busy. */
const iterationsMax = 1_000_000

/** Rejects with a KafkaRefusal SASL_AUTHENTICATION_FAILED or UNSUPPORTED_SASL_MECHANISM. */
export async function logIn(world: World, broker: BrokerConnection, login: SaslLogin): Promise<void> {
  const { mechanism, username, password } = login
  const { errorCode, mechanisms } = await broker.ask(apis.saslHandshake, { mechanism })
  if (errorCode !== 0) {
    const offered = mechanisms.length === 0 ? 'none' : mechanisms.join(', ')
    throw new KafkaRefusal(kafkaErrorOf(errorCode), `${broker.where} takes logins by ${offered}, not by ${mechanism}`)
  }
  const say = async (message: string): Promise<string> => {
    const answer = await broker.ask(apis.saslAuthenticate, { authBytes: Buffer.from(message) })
    if (answer.errorCode !== 0) throw refused(broker, username, answer.errorCode)
    return Buffer.from(answer.authBytes).toString()
  }
  if (mechanism === 'PLAIN') {
    await say(`\0${username}\0${password}`)
    return
  }
  const hash = mechanism === 'SCRAM-SHA-256' ? 'sha256' : 'sha512'
  const nonce = Buffer.from(world.host.secretBytes(nonceBytes)).toString('base64')
  const bare = `n=${username.replaceAll('=', '=3D').replaceAll(',', '=2C')},r=${nonce}`
  const first = await say(`n,,${bare}`)
  const parts = /^r=([^,]+),s=([^,]+),i=(\d+)/.exec(first)
  const [, bothNonces = '', salt = '', iterations = ''] = parts ?? []
  if (!bothNonces.startsWith(nonce) || bothNonces === nonce || Number(iterations) > iterationsMax) {
    throw new KafkaRefusal('SASL_AUTHENTICATION_FAILED', `${broker.where} does not keep to SCRAM`)
  }
  const salted = await saltedPassword(password, Buffer.from(salt, 'base64'), Number(iterations), hash)
  const hmac = (key: Uint8Array, text: string): Buffer => createHmac(hash, key).update(text).digest()
  const clientKey = hmac(salted, 'Client Key')
  const withoutProof = `c=biws,r=${bothNonces}`
  const said = `${bare},${first},${withoutProof}`
  const signature = hmac(createHash(hash).update(clientKey).digest(), said)
  const proof = clientKey.map((byte, i) => byte ^ signature[i]!)
  const last = await say(`${withoutProof},p=${Buffer.from(proof).toString('base64')}`)
  const shown = Buffer.from(/^v=([^,]+)/.exec(last)?.[1] ?? '', 'base64')
  const expected = hmac(hmac(salted, 'Server Key'), said)
  if (shown.length !== expected.length || !timingSafeEqual(shown, expected)) {
    throw new KafkaRefusal('SASL_AUTHENTICATION_FAILED', `${broker.where} does not know the password of ${username}`)
  }
}
function refused(broker: BrokerConnection, username: string, code: number): KafkaRefusal {
  return new KafkaRefusal(kafkaErrorOf(code), `${broker.where} does not let ${username} in`)
}
function saltedPassword(password: string, salt: Uint8Array, iterations: number, hash: string): Promise<Buffer> {
  const bytes = hash === 'sha256' ? 32 : 64
  return new Promise((resolve, reject) => {
    pbkdf2(password, salt, iterations, bytes, hash, (error, key) => (error === null ? resolve(key) : reject(error)))
  })
}
