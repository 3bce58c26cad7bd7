// The client's side of logins, for tests: PLAIN, and SCRAM computed by the book.
import assert from 'node:assert/strict'
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto'
import type { ScramMechanism } from '../security/scram.ts'
import type { RawClient } from './raw-client.suite.ts'

export const plain = (user: string, password: string): Uint8Array => Buffer.from(`\0${user}\0${password}`)
export const clientFirst = (user: string, nonce = 'fyko'): Uint8Array => Buffer.from(`n,,n=${user},r=${nonce}`)

/** The client's last message, and what the server must answer to it. */
export function clientFinal(
  mechanism: ScramMechanism,
  user: string,
  password: string,
  serverFirst: string,
  nonce = 'fyko',
) {
  const parts = /^r=([^,]+),s=([^,]+),i=(\d+)$/.exec(serverFirst)
  assert.ok(parts !== null, serverFirst)
  const [, both, salt, iterations] = parts
  assert.ok(both?.startsWith(nonce) && both.length > nonce.length + 16, 'a nonce of the server follows')
  const hash = mechanism === 'SCRAM-SHA-256' ? 'sha256' : 'sha512'
  const salted = pbkdf2Sync(
    password,
    Buffer.from(salt ?? '', 'base64'),
    Number(iterations),
    hash === 'sha256' ? 32 : 64,
    hash,
  )
  const hmac = (key: Uint8Array, data: string) => createHmac(hash, key).update(data).digest()
  const clientKey = hmac(salted, 'Client Key')
  const message = `n=${user},r=${nonce},${serverFirst},c=biws,r=${both}`
  const signature = hmac(createHash(hash).update(clientKey).digest(), message)
  const proof = Buffer.from(clientKey.map((byte, i) => byte ^ signature[i]!)).toString('base64')
  return {
    final: Buffer.from(`c=biws,r=${both},p=${proof}`),
    expected: `v=${hmac(hmac(salted, 'Server Key'), message).toString('base64')}`,
  }
}

/** Error code of the last answer, and the lifetime it tells. */
export async function login(
  client: RawClient,
  mechanism: 'PLAIN' | ScramMechanism,
  user: string,
  password: string,
  version = 2,
): Promise<{ readonly errorCode: number; readonly lifetimeMs: number; readonly message: string | null }> {
  const { errorCode } = await client.ask('saslHandshake', 1, { mechanism })
  if (errorCode !== 0) return { errorCode, lifetimeMs: 0, message: null }
  const say = (authBytes: Uint8Array) => client.ask('saslAuthenticate', version, { authBytes })
  let answer = await say(mechanism === 'PLAIN' ? plain(user, password) : clientFirst(user))
  if (mechanism !== 'PLAIN' && answer.errorCode === 0) {
    const { final, expected } = clientFinal(mechanism, user, password, Buffer.from(answer.authBytes).toString())
    answer = await say(final)
    if (answer.errorCode === 0) assert.equal(Buffer.from(answer.authBytes).toString(), expected)
  }
  return { errorCode: answer.errorCode, lifetimeMs: answer.sessionLifetimeMs, message: answer.errorMessage }
}

/** A bare token in a frame of its own. */
export function sendToken(client: RawClient, token: Uint8Array): void {
  const length = Buffer.alloc(4)
  length.writeInt32BE(token.length)
  client.socket.write(Buffer.concat([length, token]))
}
