// SCRAM against the examples of its RFCs, and against clients that do not play by them.
import assert from 'node:assert/strict'
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto'
import { test } from 'node:test'
import {
  beginScram,
  endScram,
  isPassword,
  SaslMessageError,
  type ScramMechanism,
  type ScramVerifier,
  verifierOf,
} from './scram.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const wrong = (error: unknown): boolean => error instanceof SaslMessageError && !/pencil|W22/.test(error.message)

interface Example {
  readonly mechanism: ScramMechanism
  readonly salt: string
  readonly clientNonce: string
  readonly serverNonce: string
  readonly proof: string
  readonly signature: string
}
// Both with user "user", password "pencil", 4096 iterations. The first is that of RFC 7677, section 3.
const examples: readonly Example[] = [
  {
    mechanism: 'SCRAM-SHA-256',
    salt: 'W22ZaJ0SNY7soEsUEjb6gQ==',
    clientNonce: 'rOprNGfwEbeRWgbNEkqO',
    serverNonce: '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0',
    proof: 'dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
    signature: '6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
  },
]
const verifierOfExample = ({ mechanism, salt }: Example): ScramVerifier =>
  verifierOf(mechanism, 'pencil', Buffer.from(salt, 'base64'), 4096)

for (const example of examples) {
  const { mechanism, salt, clientNonce, serverNonce, proof, signature } = example
  const verifier = verifierOfExample(example)
  const begin = () => beginScram(bytes(`n,,n=user,r=${clientNonce}`), serverNonce, () => verifier)
  test(`${mechanism}: the example of its RFC`, () => {
    const { begun, answer } = begin()
    assert.equal(begun.user, 'user')
    assert.equal(answer, `r=${clientNonce}${serverNonce},s=${salt},i=4096`)
    const last = `c=biws,r=${clientNonce}${serverNonce},p=${proof}`
    assert.equal(endScram(mechanism, begun, bytes(last)), `v=${signature}`)
  })
  test(`${mechanism}: another proof, another nonce, another header are no login`, () => {
    const { begun } = begin()
    const nonce = `${clientNonce}${serverNonce}`
    const otherProof = Buffer.from(proof, 'base64')
    for (let bit = 0; bit < otherProof.length * 8; bit += 7) {
      const flipped = Buffer.from(otherProof)
      flipped[bit >> 3]! ^= 1 << (bit & 7)
      assert.equal(endScram(mechanism, begun, bytes(`c=biws,r=${nonce},p=${flipped.toString('base64')}`)), null)
    }
    assert.equal(
      endScram(mechanism, begun, bytes(`c=biws,r=${nonce},p=${otherProof.subarray(1).toString('base64')}`)),
      null,
    )
    for (const last of [
      `c=biws,r=${clientNonce},p=${proof}`,
      `c=eSws,r=${nonce},p=${proof}`,
      `c=biws,r=${nonce}`,
      `p=${proof}`,
      '',
    ]) {
      assert.throws(() => endScram(mechanism, begun, bytes(last)), wrong, last)
    }
  })
}

test('SHA-512: a client that computes by the book is let in, with its own salt and iterations', () => {
  const salt = bytes('1l0bl7oqbchkd8v4')
  const verifier = verifierOf('SCRAM-SHA-512', 'pass wörd', salt, 8192)
  const { begun, answer } = beginScram(bytes('n,,n=us=2Cer=3D,r=abc'), 'XYZ', () => verifier)
  assert.equal(begun.user, 'us,er=')
  const hmac = (key: Uint8Array, data: string) => createHmac('sha512', key).update(data).digest()
  const salted = pbkdf2Sync('pass wörd', salt, 8192, 64, 'sha512')
  const clientKey = hmac(salted, 'Client Key')
  const message = `n=us=2Cer=3D,r=abc,${answer},c=biws,r=abcXYZ`
  const signature = hmac(createHash('sha512').update(clientKey).digest(), message)
  const proof = Buffer.from(clientKey.map((byte, i) => byte ^ signature[i]!)).toString('base64')
  const last = endScram('SCRAM-SHA-512', begun, bytes(`c=biws,r=abcXYZ,p=${proof}`))
  assert.equal(last, `v=${hmac(hmac(salted, 'Server Key'), message).toString('base64')}`)
})

test('a client that says its nonce twice, as librdkafka before 2.6.1: its proof covers what it says', () => {
  const verifier = verifierOfExample(examples[0]!)
  const { begun, answer } = beginScram(bytes('n,,n=user,r=abc'), 'XYZ', () => verifier)
  const salted = pbkdf2Sync('pencil', verifier.salt, 4096, 32, 'sha256')
  const hmac = (key: Uint8Array, data: string) => createHmac('sha256', key).update(data).digest()
  const clientKey = hmac(salted, 'Client Key')
  for (const [nonce, isTaken] of [
    ['abcabcXYZ', true],
    ['abcabcabcXYZ', false],
    ['defabcXYZ', false],
    ['XYZ', false],
  ] as const) {
    const signature = hmac(createHash('sha256').update(clientKey).digest(), `n=user,r=abc,${answer},c=biws,r=${nonce}`)
    const proof = Buffer.from(clientKey.map((byte, i) => byte ^ signature[i]!)).toString('base64')
    const end = () => endScram('SCRAM-SHA-256', begun, bytes(`c=biws,r=${nonce},p=${proof}`))
    if (isTaken) assert.match(end() ?? '', /^v=/)
    else assert.throws(end, wrong)
  }
})

test('first messages that are none', () => {
  for (const first of [
    '',
    'n,,n=user',
    'n,,r=abc,n=user',
    'p=tls-unique,,n=user,r=abc',
    'n,a=other,n=user,r=abc',
    'n,,m=ext,n=user,r=abc',
    'n,,n=us=er,r=abc',
    'n,,n=,r=abc',
    'n,,n=user,r=',
    `n,,n=user,r=${'x'.repeat(513)}`,
  ]) {
    assert.throws(() => beginScram(bytes(first), 'nonce', () => verifierOfExample(examples[0]!)), wrong, first)
  }
  assert.throws(() => beginScram(Uint8Array.of(0x6e, 0xff), 'nonce', () => verifierOfExample(examples[0]!)), wrong)
  for (const first of ['y,,n=user,r=abc', 'n,a=user,n=user,r=abc', 'n,,n=user,r=abc,ext=1']) {
    assert.equal(beginScram(bytes(first), 'nonce', () => verifierOfExample(examples[0]!)).begun.user, 'user')
  }
})

test('a verifier knows its password and no other', () => {
  const verifier = verifierOfExample(examples[0]!)
  assert.equal(isPassword('SCRAM-SHA-256', 'pencil', verifier), true)
  for (const other of ['Pencil', 'pencil ', '', 'p']) {
    assert.equal(isPassword('SCRAM-SHA-256', other, verifier), false)
  }
})
