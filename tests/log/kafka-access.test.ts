// The log over a cluster that asks for TLS and a login, and the commands that speak to one: in with the right ones, told why not
// with others. The cluster is our own broker; that its logins are Kafka's, strangers' clients show.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Broker, openBroker } from '../../src/broker/broker.ts'
import { startCli } from '../../src/cli/run-cli.suite.ts'
import { type KafkaAccess, saslMechanisms } from '../../src/connect/kafka-access.ts'
import { openKafkaLog } from '../../src/connect/kafka-log.ts'
import { partitionId } from '../../src/std/units.ts'
import { nodeWorld } from '../../src/world/node.ts'
import { recordsIn } from '../files/watching.suite.ts'
import { batchOf } from './log-contract.suite.ts'

const world = nodeWorld()
const file = (name: string): string => fileURLToPath(new URL(`../certificates/${name}`, import.meta.url))
const pem = (name: string): Uint8Array => readFileSync(file(name))
const password = 'a secret, with = and ,'
const user = 'ann,=the first'
let broker: Broker
let secure = ''
let mutual = ''
before(async () => {
  broker = await openBroker(world, {
    dataDir: null,
    durability: 'process',
    users: [{ user, password }],
    superUsers: [user, 'CN=shop\\, one,O=Millrace tests,C=BR'],
  })
  const tls = { certificate: pem('server.pem'), key: pem('server.key') }
  const one = await broker.listen({ host: '127.0.0.1', port: 0, tls, sasl: [] })
  secure = `localhost:${one.port}`
  const two = await broker.listen({ host: '127.0.0.1', port: 0, tls: { ...tls, clientCa: pem('authority.pem') } })
  mutual = `localhost:${two.port}`
})
after(() => broker.close())

const tls = { ca: pem('authority.pem'), shown: null }
const login = { mechanism: 'SCRAM-SHA-256', username: user, password } as const
const open = (address: string, access: KafkaAccess) =>
  openKafkaLog(world, { brokers: [address], access, patienceMs: 1_000, requestTimeoutMs: 5_000 })

for (const mechanism of saslMechanisms) {
  test(`in by TLS and ${mechanism}: appends, commits and reads`, async () => {
    const log = await open(secure, { tls, sasl: { ...login, mechanism } })
    try {
      const topic = `by-${mechanism}`
      await log.createTopic({ name: topic, partitions: 1 })
      await log.append(topic, partitionId(0), batchOf('one'))
      const job = await log.takeJob(`job-${mechanism}`)
      const appends = [{ topic, partition: partitionId(0), batch: batchOf('two') }]
      await log.commit({ job: `job-${mechanism}`, epoch: job.epoch, previous: job.cursor, cursor: job.cursor, appends })
      await log.look()
      for (let tries = 0; tries < 100 && (await recordsIn(log, topic)).length < 2; tries++) await world.clock.sleep(20)
      assert.deepEqual(
        (await recordsIn(log, topic)).map(({ value }) => value),
        ['one', 'two'],
      )
    } finally {
      await log.close()
    }
  })
}

test('in by a certificate, without a login', async () => {
  const shown = { certificate: pem('client.pem'), key: pem('client.key') }
  const log = await open(mutual, { tls: { ...tls, shown }, sasl: null })
  await log.createTopic({ name: 'by-certificate', partitions: 1 })
  await log.close()
})

for (const [what, address, access, says] of [
  ['another password', () => secure, { tls, sasl: { ...login, password: 'no' } }, /does not let .* in/],
  ['no login', () => secure, { tls, sasl: null }, /closed the connection|did not answer/],
  ['an authority that is not theirs', () => secure, { tls: { ...tls, ca: pem('stranger.pem') }, sasl: login }, /TLS/],
  ['no certificate where one is asked for', () => mutual, { tls, sasl: null }, /closed|TLS|broke/],
] as const) {
  test(`not in with ${what}`, async () => {
    await assert.rejects(open(address(), access), (error: Error) => {
      const told = `${error.message} ${error.cause instanceof Error ? error.cause.message : ''}`
      assert.match(told, says)
      assert.ok(!told.includes(password))
      return true
    })
  })
}

test('produce and groups take TLS and the login from the environment', async () => {
  const env = {
    KAFKA_BROKERS: secure,
    KAFKA_SECURITY_PROTOCOL: 'SASL_SSL',
    KAFKA_SASL_MECHANISM: 'SCRAM-SHA-512',
    KAFKA_SASL_USERNAME: user,
    KAFKA_SASL_PASSWORD: password,
    KAFKA_SSL_CA: file('authority.pem'),
  }
  await broker.createTopic({ name: 'sent', partitions: 1 })
  const sent = await startCli(['produce', 'sent', '--input', '-'], { env, input: '{"a":1}\n{"a":2}\n' }).ended
  assert.equal(sent.code, 0, sent.stderr)
  assert.equal(broker.offsets('sent', partitionId(0)).end, 2)
  const listed = await startCli(['groups', 'ls', '--json'], { env }).ended
  assert.equal(listed.code, 0, listed.stderr)
  assert.deepEqual(JSON.parse(listed.stdout), [])
  const refused = await startCli(['groups', 'ls'], { env: { ...env, KAFKA_SASL_PASSWORD: 'no' } }).ended
  assert.equal(refused.code, 3, refused.stderr)
  const unknown = await startCli(['groups', 'ls'], { env: { ...env, KAFKA_SASL_MECHANISM: 'GSSAPI' } }).ended
  assert.equal(unknown.code, 2)
  assert.match(unknown.stderr, /KAFKA_SASL_MECHANISM[\s\S]*SCRAM-SHA-512/)
})
