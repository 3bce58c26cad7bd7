// Other people's clients against a broker that wants to know who they are: SASL over TLS by each mechanism, client
// certificates, wrong passwords, what access rules let each of them do, users and rules that administrators change.
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import {
  Consumer,
  Admin as PlatformaticAdmin,
  Producer,
  stringDeserializers,
  stringSerializers,
} from '@platformatic/kafka'
import kafkajs, { type KafkaConfig, type SASLOptions } from 'kafkajs'
import { type Broker, openBroker } from '../../src/broker/broker.ts'
import { nodeWorld } from '../../src/world/node.ts'

const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes, logLevel, Partitioners } =
  kafkajs
const certificateFile = (name: string): string => fileURLToPath(new URL(`../certificates/${name}`, import.meta.url))
const certificate = (name: string): Buffer => readFileSync(certificateFile(name))
const tls = { certificate: certificate('server.pem'), key: certificate('server.key') }
const ca = certificate('authority.pem')

const mechanisms = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const
type Mechanism = (typeof mechanisms)[number]
const passwords = { root: 'root secret', ann: 'ann=,secret', bob: 'bøb' } as const
type User = keyof typeof passwords

let broker: Broker
let saslSsl: number
let ssl: number
before(async () => {
  broker = await openBroker(nodeWorld(), {
    dataDir: null,
    durability: 'power',
    autoCreate: { partitions: 1 },
    superUsers: ['root', 'User:CN=shop\\, one,O=Millrace tests,C=BR'],
    users: Object.entries(passwords).map(([user, password]) => ({ user, password })),
  })
  saslSsl = (await broker.listen({ host: '127.0.0.1', port: 0, tls, sasl: [] })).port
  ssl = (await broker.listen({ host: '127.0.0.1', port: 0, tls: { ...tls, clientCa: ca } })).port
})
after(() => broker.close())

function kafkaOf(
  user: string,
  password: string,
  mechanism: Mechanism = 'SCRAM-SHA-512',
  more: Partial<KafkaConfig> = {},
) {
  return new kafkajs.Kafka({
    brokers: [`127.0.0.1:${saslSsl}`],
    ssl: { ca: [ca] },
    sasl: { mechanism: mechanism.toLowerCase(), username: user, password } as SASLOptions,
    logLevel: logLevel.NOTHING,
    retry: { retries: 0 },
    ...more,
  })
}
const kafkaAs = (user: User) => kafkaOf(user, passwords[user])
async function adminAs<T>(user: User, ask: (admin: kafkajs.Admin) => Promise<T>): Promise<T> {
  const admin = kafkaAs(user).admin()
  await admin.connect()
  try {
    return await ask(admin)
  } finally {
    await admin.disconnect()
  }
}
async function send(kafka: kafkajs.Kafka, topic: string, value: string): Promise<void> {
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner, allowAutoTopicCreation: false })
  await producer.connect()
  try {
    await producer.send({ topic, acks: -1, messages: [{ value }] })
  } finally {
    await producer.disconnect()
  }
}
async function firstValue(kafka: kafkajs.Kafka, topic: string, groupId: string): Promise<string> {
  const consumer = kafka.consumer({ groupId })
  await consumer.connect()
  try {
    await consumer.subscribe({ topic, fromBeginning: true })
    return await new Promise<string>((resolve, reject) => {
      consumer.on('consumer.crash', ({ payload }) => reject(payload.error))
      consumer.run({ eachMessage: async ({ message }) => resolve(String(message.value)) }).catch(reject)
    })
  } finally {
    await consumer.disconnect()
  }
}
const allow = (principal: string, resourceType: number, resourceName: string, operation: number, prefixed = false) => ({
  resourceType,
  resourceName,
  resourcePatternType: prefixed ? ResourcePatternTypes.PREFIXED : ResourcePatternTypes.LITERAL,
  principal,
  host: '*',
  operation,
  permissionType: AclPermissionTypes.ALLOW,
})

for (const mechanism of mechanisms) {
  describe(`${mechanism} over TLS`, () => {
    test('kafkajs: logs in, makes a topic, produces, consumes; a wrong password and an unknown user do not', async () => {
      const topic = `kafkajs-${mechanism}`
      const kafka = kafkaOf('root', passwords.root, mechanism)
      const admin = kafka.admin()
      await admin.connect()
      await admin.createTopics({ topics: [{ topic, numPartitions: 1 }] })
      await admin.disconnect()
      await send(kafka, topic, 'one')
      assert.equal(await firstValue(kafka, topic, `group-${mechanism}`), 'one')
      const said: string[] = []
      for (const [user, password] of [
        ['root', 'wrong'],
        ['nobody', passwords.root],
      ] as const) {
        const stranger = kafkaOf(user, password, mechanism).admin()
        await assert.rejects(stranger.connect(), (error: Error) => {
          assert.match(error.message, /authentication failed/i)
          said.push(error.message.replaceAll(user, ''))
          return true
        })
        await stranger.disconnect()
      }
      assert.equal(said[0], said[1], 'nobody learns which names there are')
    })

    test('@platformatic/kafka: logs in, produces, consumes; a wrong password does not', async () => {
      const topic = `platformatic-${mechanism}`
      await broker.createTopic({ name: topic, partitions: 1 })
      const as = (password: string) => ({
        clientId: 'test',
        bootstrapBrokers: [`127.0.0.1:${saslSsl}`],
        tls: { ca: [ca] },
        sasl: { mechanism, username: 'root', password },
        retries: 0,
        connectTimeout: 3_000,
      })
      const producer = new Producer({ ...as(passwords.root), serializers: stringSerializers })
      await producer.send({ messages: [{ topic, key: 'k', value: 'two' }] })
      await producer.close()
      const consumer = new Consumer({
        ...as(passwords.root),
        groupId: `platformatic-${mechanism}`,
        deserializers: stringDeserializers,
      })
      const stream = await consumer.consume({ topics: [topic], mode: 'earliest', autocommit: false, maxWaitTime: 100 })
      for await (const { value } of stream) {
        assert.equal(value, 'two')
        break
      }
      await stream.close()
      await consumer.close(true)
      const stranger = new PlatformaticAdmin(as('wrong'))
      await assert.rejects(stranger.metadata({ topics: [topic] }))
      await stranger.close()
    })
  })
}

// --- kcat ---

const kcatIsThere = spawnSync('kcat', ['-V']).error === undefined
const features = kcatIsThere ? spawnSync('kcat', ['-X', 'list'], { encoding: 'utf8' }).stdout : ''
const skipKcat = !kcatIsThere
  ? 'kcat is not installed (Debian: apt-get install kcat)'
  : /sasl_scram/.test(features) && /\bssl\b/.test(features)
    ? false
    : 'this kcat was built without SSL or SASL SCRAM'

function kcat(
  args: readonly string[],
  input = '',
): Promise<{ readonly code: number | null; readonly out: string; readonly err: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn('kcat', args, { timeout: 60_000 })
    let [out, err] = ['', '']
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      err += text
    })
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, out, err }))
    child.stdin.end(input)
  })
}
const kcatLogin = (mechanism: Mechanism, user: string, password: string): string[] => [
  ...[
    '-b',
    `127.0.0.1:${saslSsl}`,
    '-X',
    'security.protocol=sasl_ssl',
    '-X',
    `ssl.ca.location=${certificateFile('authority.pem')}`,
  ],
  ...['-X', `sasl.mechanism=${mechanism}`, '-X', `sasl.username=${user}`, '-X', `sasl.password=${password}`],
]
for (const mechanism of mechanisms) {
  test(`kcat: ${mechanism} over TLS, produce and consume; a wrong password is said to be one`, {
    skip: skipKcat,
  }, async () => {
    const topic = `kcat-${mechanism}`
    await broker.createTopic({ name: topic, partitions: 1 })
    const login = kcatLogin(mechanism, 'root', passwords.root)
    const produced = await kcat([...login, '-P', '-t', topic], 'a\nb\n')
    assert.equal(produced.code, 0, produced.err)
    assert.equal((await kcat([...login, '-C', '-t', topic, '-e', '-q'])).out, 'a\nb\n')
    const refused = await kcat([...kcatLogin(mechanism, 'root', 'wrong'), '-L', '-m', '3'])
    assert.notEqual(refused.code, 0)
    assert.match(refused.err, /authentication fail/i)
  })
}
test('kcat: a client certificate, and none', { skip: skipKcat }, async () => {
  const base = [
    '-b',
    `127.0.0.1:${ssl}`,
    '-X',
    'security.protocol=ssl',
    '-X',
    `ssl.ca.location=${certificateFile('authority.pem')}`,
  ]
  const shown = [
    '-X',
    `ssl.certificate.location=${certificateFile('client.pem')}`,
    '-X',
    `ssl.key.location=${certificateFile('client.key')}`,
  ]
  const listed = await kcat([...base, ...shown, '-L', '-J'])
  assert.equal(listed.code, 0, listed.err)
  assert.ok(JSON.parse(listed.out).brokers.length === 1)
  assert.notEqual((await kcat([...base, '-L', '-m', '3'])).code, 0)
})

// --- Client certificates ---

test('a client certificate is a principal; one of another authority, or none, is not let in', async () => {
  const by = (name: string | null) =>
    new kafkajs.Kafka({
      brokers: [`127.0.0.1:${ssl}`],
      ssl: {
        ca: [ca],
        ...(name === null ? {} : { cert: certificate(`${name}.pem`), key: certificate(`${name}.key`) }),
      },
      logLevel: logLevel.NOTHING,
      retry: { retries: 0 },
    }).admin()
  const known = by('client')
  await known.connect()
  assert.equal(await known.createTopics({ topics: [{ topic: 'by-certificate', numPartitions: 1 }] }), true)
  await known.disconnect()
  for (const stranger of [by('stranger'), by(null)]) {
    await assert.rejects(stranger.connect().then(() => stranger.listTopics()))
    await stranger.disconnect()
  }
})

// --- Access rules ---

test('rules by kafkajs: nothing without them, then just what they say; denials count more; gone when deleted', async () => {
  await broker.createTopic({ name: 'shop-orders', partitions: 1 })
  await broker.createTopic({ name: 'other', partitions: 1 })
  const seenBy = (user: User) => adminAs(user, (admin) => admin.listTopics())
  assert.deepEqual(await seenBy('ann'), [])
  await assert.rejects(send(kafkaAs('ann'), 'shop-orders', 'x'), /not authorized/i)
  await assert.rejects(
    adminAs('ann', (admin) => admin.createTopics({ topics: [{ topic: 'shop-new' }] })),
    /Topic creation errors/,
  )
  await assert.rejects(
    adminAs('ann', (admin) =>
      admin.describeAcls({
        resourceType: AclResourceTypes.ANY,
        resourcePatternType: ResourcePatternTypes.ANY,
        operation: AclOperationTypes.ANY,
        permissionType: AclPermissionTypes.ANY,
      }),
    ),
    /author/i,
  )

  const { TOPIC, GROUP } = AclResourceTypes
  const acl = [
    allow('User:ann', TOPIC, 'shop-', AclOperationTypes.WRITE, true),
    allow('User:ann', TOPIC, 'shop-', AclOperationTypes.CREATE, true),
    allow('User:bob', TOPIC, '*', AclOperationTypes.READ),
    allow('User:bob', GROUP, 'bobs', AclOperationTypes.READ, true),
    { ...allow('User:bob', TOPIC, 'other', AclOperationTypes.READ), permissionType: AclPermissionTypes.DENY },
  ]
  await adminAs('root', (admin) => admin.createAcls({ acl }))
  assert.deepEqual(await seenBy('ann'), ['shop-orders'])
  await send(kafkaAs('ann'), 'shop-orders', 'from ann')
  assert.equal(
    await adminAs('ann', (admin) => admin.createTopics({ topics: [{ topic: 'shop-new', numPartitions: 1 }] })),
    true,
  )
  await assert.rejects(send(kafkaAs('ann'), 'other', 'x'), /not authorized/i)
  await assert.rejects(firstValue(kafkaAs('ann'), 'shop-orders', 'anns'), /group coordinator/)
  assert.equal(await firstValue(kafkaAs('bob'), 'shop-orders', 'bobs-1'), 'from ann')
  await assert.rejects(send(kafkaAs('bob'), 'shop-orders', 'x'), /not authorized/i)
  await assert.rejects(firstValue(kafkaAs('bob'), 'shop-orders', 'another'), /group coordinator/)
  assert.ok(!(await seenBy('bob')).includes('x'))

  const ofAnn = {
    resourceType: AclResourceTypes.ANY,
    resourcePatternType: ResourcePatternTypes.ANY,
    principal: 'User:ann',
    operation: AclOperationTypes.ANY,
    permissionType: AclPermissionTypes.ANY,
  }
  const { resources } = await adminAs('root', (admin) => admin.describeAcls(ofAnn))
  assert.deepEqual(
    resources.map(({ resourceName, resourcePatternType, acls }) => [resourceName, resourcePatternType, acls.length]),
    [['shop-', ResourcePatternTypes.PREFIXED, 2]],
  )
  const { filterResponses } = await adminAs('root', (admin) => admin.deleteAcls({ filters: [ofAnn] }))
  assert.equal(filterResponses[0]?.matchingAcls.length, 2)
  assert.deepEqual(await seenBy('ann'), [])
})

test('kcat hears of a right that it does not have', { skip: skipKcat }, async () => {
  const login = kcatLogin('SCRAM-SHA-256', 'ann', passwords.ann.replaceAll(',', '\\,'))
  const refused = await kcat([...login, '-P', '-t', 'other', '-X', 'message.timeout.ms=3000'], 'x\n')
  assert.match(refused.err, /authoriz|auth/i)
})
