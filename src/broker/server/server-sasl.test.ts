// Logins over the wire: each mechanism in each form, what is answered before and after, how long it holds, how it fails.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { kafkaErrors } from '../../wire/wire.ts'
import { nodeWorld } from '../../world/node.ts'
import { GroupCoordinator } from '../groups/coordinator.ts'
import { failedLoginLimits } from '../security/failed-logins.ts'
import { Passwords } from '../security/passwords.ts'
import { scramMechanisms } from '../security/scram.ts'
import { securityOf } from '../security/security.ts'
import { MemoryCore } from './memory-core.suite.ts'
import { RawClient } from './raw-client.suite.ts'
import { clientFinal, clientFirst, login, plain, sendToken } from './sasl-client.suite.ts'
import { type KafkaServerSettings, serveKafka } from './server.ts'
import { Telemetry } from './telemetry.ts'

const world = nodeWorld()
const cleanUps: (() => Promise<unknown>)[] = []
after(async () => {
  for (const cleanUp of cleanUps) await cleanUp()
})
const users = [
  { user: 'ann', password: 'ann secret' },
  { user: 'bob', password: 'bob secret' },
]
const { NONE, ILLEGAL_SASL_STATE, SASL_AUTHENTICATION_FAILED, UNSUPPORTED_SASL_MECHANISM } = kafkaErrors

async function secured(settings: Partial<KafkaServerSettings> = {}, superUsers: readonly string[] = []) {
  const core = new MemoryCore()
  const security = securityOf(world, core.settings, superUsers)
  await security.credentials.prepare((count) => world.host.secretBytes(count))
  security.credentials.give(users)
  const server = await serveKafka(
    world,
    core,
    new GroupCoordinator(world, core),
    { port: 0, sasl: [], ...settings, limits: { failedLoginMs: 20, ...settings.limits } },
    security,
  )
  cleanUps.push(() => server.close())
  return { core, server, security, connect: () => RawClient.connect(world, server) }
}
const works = async (client: RawClient): Promise<boolean> =>
  (await client.ask('metadata', 4, { topics: [] })).brokers.length === 1
const isCut = async (client: RawClient): Promise<boolean> => (await client.frame()) === null

for (const mechanism of ['PLAIN', ...scramMechanisms] as const) {
  test(`${mechanism}: in with the password, out without, and nobody learns who is there`, async () => {
    const telemetry = new Telemetry()
    const { connect } = await secured({ telemetry })
    for (const version of [0, 1, 2]) {
      const client = await connect()
      const answer = await login(client, mechanism, 'ann', 'ann secret', version)
      assert.deepEqual(answer, { errorCode: NONE, lifetimeMs: 0, message: null })
      assert.ok(await works(client))
    }
    const failures: unknown[] = []
    for (const [user, password] of [
      ['ann', 'bob secret'],
      ['ann', 'ann secret '],
      ['nobody', 'ann secret'],
      ['nobody', 'nobody'],
    ] as const) {
      const client = await connect()
      failures.push(await login(client, mechanism, user, password))
      assert.ok(await isCut(client), 'a failed login ends the connection')
    }
    for (const failure of failures) assert.deepEqual(failure, failures[0])
    assert.equal(Object(failures[0]).errorCode, SASL_AUTHENTICATION_FAILED)
    assert.equal(telemetry.failedLogins, failures.length)
  })

  test(`${mechanism}: bare tokens after SaslHandshake 0`, async () => {
    const { connect } = await secured()
    const client = await connect()
    assert.equal((await client.ask('saslHandshake', 0, { mechanism })).errorCode, NONE)
    if (mechanism === 'PLAIN') {
      // The answer is an empty frame, which is no frame to the codec of this client.
      const arrived = new Promise<Uint8Array>((resolve) => client.socket.onData((bytes) => resolve(bytes.slice())))
      sendToken(client, plain('bob', 'bob secret'))
      assert.deepEqual([...(await arrived)], [0, 0, 0, 0])
      client.readOn()
    } else {
      sendToken(client, clientFirst('bob'))
      const first = Buffer.from((await client.frame()) ?? '').toString()
      const { final, expected } = clientFinal(mechanism, 'bob', 'bob secret', first)
      sendToken(client, final)
      assert.equal(Buffer.from((await client.frame()) ?? '').toString(), expected)
    }
    assert.ok(await works(client))
    const stranger = await connect()
    await stranger.ask('saslHandshake', 0, { mechanism })
    sendToken(stranger, mechanism === 'PLAIN' ? plain('bob', 'x') : Buffer.from('n'))
    assert.ok(await isCut(stranger))
  })
}

test('PLAIN messages that are none', async () => {
  const { connect } = await secured()
  for (const text of [
    '',
    'ann',
    '\0ann',
    'bob\0ann\0ann secret',
    '\0ann\0',
    '\0\0ann secret',
    '\0ann\0ann secret\0',
    `\0${'x'.repeat(256)}\0y`,
  ]) {
    const client = await connect()
    await client.ask('saslHandshake', 1, { mechanism: 'PLAIN' })
    const { errorCode } = await client.ask('saslAuthenticate', 1, { authBytes: Buffer.from(text) })
    assert.equal(errorCode, SASL_AUTHENTICATION_FAILED, JSON.stringify(text))
    assert.ok(await isCut(client))
  }
  const self = await connect()
  await self.ask('saslHandshake', 1, { mechanism: 'PLAIN' })
  assert.equal(
    (await self.ask('saslAuthenticate', 1, { authBytes: Buffer.from('ann\0ann\0ann secret') })).errorCode,
    NONE,
  )
})

test('a name that nobody has gets a salt, the same each time, another than other names', async () => {
  const { connect } = await secured()
  const saltOf = async (user: string): Promise<string | undefined> => {
    const client = await connect()
    await client.ask('saslHandshake', 1, { mechanism: 'SCRAM-SHA-256' })
    const { authBytes } = await client.ask('saslAuthenticate', 1, { authBytes: clientFirst(user) })
    client.socket.destroy()
    return /,(s=.*)$/.exec(Buffer.from(authBytes).toString())?.[1]
  }
  const [first, again, other, ann] = [
    await saltOf('ghost'),
    await saltOf('ghost'),
    await saltOf('ghost2'),
    await saltOf('ann'),
  ]
  assert.match(first ?? '', /^s=[A-Za-z0-9+/]{22}==,i=4096$/)
  assert.equal(first, again)
  assert.notEqual(first, other)
  assert.equal(ann?.length, first?.length)
})

test('before a login: only what leads to one', async () => {
  const { connect, core } = await secured()
  await core.createTopic({ name: 't', partitions: 1 })
  const client = await connect()
  assert.equal((await client.ask('apiVersions', 0, {})).errorCode, NONE)
  for (const ask of [
    (stranger: RawClient) => stranger.send('metadata', 4, { topics: null }),
    (stranger: RawClient) => stranger.send('deleteTopics', 5, { topicNames: ['t'], timeoutMs: 1_000 }),
    (stranger: RawClient) => stranger.send('produce', 9, { acks: 0, timeoutMs: 1_000, topicData: [] }),
  ]) {
    const stranger = await connect()
    ask(stranger)
    assert.ok(await isCut(stranger))
    const halfway = await connect()
    await halfway.ask('saslHandshake', 1, { mechanism: 'PLAIN' })
    ask(halfway)
    assert.ok(await isCut(halfway))
  }
  assert.ok(core.topic('t') !== null)
  const early = await connect()
  assert.equal(
    (await early.ask('saslAuthenticate', 1, { authBytes: plain('ann', 'ann secret') })).errorCode,
    ILLEGAL_SASL_STATE,
  )
  assert.ok(await isCut(early))
  const twice = await connect()
  await twice.ask('saslHandshake', 1, { mechanism: 'PLAIN' })
  assert.equal((await twice.ask('saslHandshake', 1, { mechanism: 'PLAIN' })).errorCode, ILLEGAL_SASL_STATE)
  assert.ok(await isCut(twice))
})

test('mechanisms: those of the listener, by name; PLAIN only where it is safe', async () => {
  const { connect } = await secured({ sasl: ['SCRAM-SHA-512'] })
  for (const mechanism of ['PLAIN', 'GSSAPI', 'scram-sha-512', '']) {
    const client = await connect()
    const answer = await client.ask('saslHandshake', 1, { mechanism })
    assert.deepEqual([answer.errorCode, answer.mechanisms], [UNSUPPORTED_SASL_MECHANISM, ['SCRAM-SHA-512']])
    assert.ok(await isCut(client))
  }
  const open = await secured({ host: '0.0.0.0' })
  const client = await RawClient.connect(world, { host: '127.0.0.1', port: open.server.port })
  const { errorCode, mechanisms } = await client.ask('saslHandshake', 1, { mechanism: 'PLAIN' })
  assert.deepEqual([errorCode, mechanisms], [UNSUPPORTED_SASL_MECHANISM, ['SCRAM-SHA-256', 'SCRAM-SHA-512']])
})

test('without SASL a login is out of place, and does no harm', async () => {
  const core = new MemoryCore()
  const server = await serveKafka(world, core, new GroupCoordinator(world, core), { port: 0 })
  cleanUps.push(() => server.close())
  const client = await RawClient.connect(world, server)
  assert.equal((await client.ask('saslHandshake', 1, { mechanism: 'PLAIN' })).errorCode, ILLEGAL_SASL_STATE)
  assert.equal((await client.ask('saslAuthenticate', 1, { authBytes: plain('a', 'b') })).errorCode, ILLEGAL_SASL_STATE)
  assert.ok(await works(client))
})

test('a login that ends (KIP-368): the same user by the same mechanism goes on, nobody else', async () => {
  const { connect } = await secured({ loginMsMax: 60_000 })
  const client = await connect()
  for (let i = 0; i < 3; i++) {
    const { errorCode, lifetimeMs } = await login(client, 'SCRAM-SHA-256', 'ann', 'ann secret')
    assert.deepEqual([errorCode, lifetimeMs], [NONE, 60_000])
    assert.ok(await works(client))
  }
  assert.equal((await login(client, 'SCRAM-SHA-256', 'bob', 'bob secret')).errorCode, SASL_AUTHENTICATION_FAILED)
  assert.ok(await isCut(client))
  const wrong = await connect()
  await login(wrong, 'PLAIN', 'ann', 'ann secret')
  assert.equal((await login(wrong, 'SCRAM-SHA-256', 'ann', 'ann secret')).errorCode, ILLEGAL_SASL_STATE)
  assert.ok(await works(wrong), 'another mechanism is refused, the login stays')
  await wrong.ask('saslHandshake', 1, { mechanism: 'PLAIN' })
  wrong.send('metadata', 4, { topics: [] })
  assert.ok(await isCut(wrong), 'nothing else during a login')

  const brief = await secured({ loginMsMax: 30 })
  const late = await brief.connect()
  await login(late, 'PLAIN', 'ann', 'ann secret')
  await world.clock.sleep(40)
  assert.equal((await login(late, 'PLAIN', 'ann', 'ann secret')).errorCode, NONE, 'a late login is one')
  await world.clock.sleep(40)
  late.send('metadata', 4, { topics: [] })
  assert.ok(await isCut(late))
})

test('credentials by the protocol: set, listed, changed, removed; who is removed is out at once', async () => {
  const { connect } = await secured({}, ['ann'])
  const admin = await connect()
  await login(admin, 'PLAIN', 'ann', 'ann secret')
  const { pbkdf2Sync } = await import('node:crypto')
  const salt = Buffer.from('carols salt')
  const upsertion = (password: string, over: object = {}) => ({
    name: 'carol',
    mechanism: 1,
    iterations: 5_000,
    salt,
    saltedPassword: pbkdf2Sync(password, salt, 5_000, 32, 'sha256'),
    ...over,
  })
  const alter = async (upsertions: object[], deletions: object[] = []) =>
    (
      await admin.ask('alterUserScramCredentials', 0, {
        upsertions: upsertions as never,
        deletions: deletions as never,
      })
    ).results.map(({ user, errorCode }) => [user, errorCode])
  assert.deepEqual(await alter([upsertion('one')]), [['carol', NONE]])
  const carol = await connect()
  assert.equal((await login(carol, 'SCRAM-SHA-256', 'carol', 'one')).errorCode, NONE)
  const plainCarol = await connect()
  assert.equal((await login(plainCarol, 'PLAIN', 'carol', 'one')).errorCode, NONE)
  for (const [user, mechanism, password] of [
    ['carol', 'SCRAM-SHA-512', 'one'],
    ['carol', 'SCRAM-SHA-256', 'two'],
  ] as const) {
    assert.equal((await login(await connect(), mechanism, user, password)).errorCode, SASL_AUTHENTICATION_FAILED)
  }
  await alter([upsertion('two')])
  assert.equal((await login(await connect(), 'PLAIN', 'carol', 'one')).errorCode, SASL_AUTHENTICATION_FAILED)
  assert.equal((await login(await connect(), 'PLAIN', 'carol', 'two')).errorCode, NONE)

  const describe = async (names: string[] | null) =>
    (
      await admin.ask('describeUserScramCredentials', 0, { users: names?.map((name) => ({ name })) ?? null })
    ).results.map(({ user, errorCode, credentialInfos }) => [
      user,
      errorCode,
      credentialInfos.map(({ mechanism, iterations }) => `${mechanism}:${iterations}`).join(),
    ])
  assert.deepEqual(await describe(null), [
    ['ann', NONE, '1:4096,2:4096'],
    ['bob', NONE, '1:4096,2:4096'],
    ['carol', NONE, '1:5000'],
  ])
  assert.deepEqual(await describe(['carol', 'dave', 'dave']), [
    ['carol', NONE, '1:5000'],
    ['dave', kafkaErrors.DUPLICATE_RESOURCE, ''],
  ])
  assert.deepEqual(await describe(['dave']), [['dave', kafkaErrors.RESOURCE_NOT_FOUND, '']])

  const { UNACCEPTABLE_CREDENTIAL, RESOURCE_NOT_FOUND, DUPLICATE_RESOURCE } = kafkaErrors
  const crowd = (count: number) => Array.from({ length: count }, (_, i) => ({ name: `absent-${i}`, mechanism: 1 }))
  const codes = async (count: number) => new Set((await alter([], crowd(count))).map(([, code]) => code))
  assert.deepEqual(await codes(1_000), new Set([RESOURCE_NOT_FOUND]))
  assert.deepEqual(await codes(1_001), new Set([UNACCEPTABLE_CREDENTIAL]), 'more than a request may name')
  for (const [what, upsertions, deletions, expected] of [
    ['too few iterations', [upsertion('x', { iterations: 4_095 })], [], UNACCEPTABLE_CREDENTIAL],
    ['too many iterations', [upsertion('x', { iterations: 16_385 })], [], UNACCEPTABLE_CREDENTIAL],
    ['a key of another mechanism', [upsertion('x', { mechanism: 2 })], [], UNACCEPTABLE_CREDENTIAL],
    ['no salt', [upsertion('x', { salt: Buffer.alloc(0) })], [], UNACCEPTABLE_CREDENTIAL],
    ['no such mechanism', [upsertion('x', { mechanism: 3 })], [], UNSUPPORTED_SASL_MECHANISM],
    ['no name', [upsertion('x', { name: '' })], [], UNACCEPTABLE_CREDENTIAL],
    ['a long name', [upsertion('x', { name: 'x'.repeat(256) })], [], UNACCEPTABLE_CREDENTIAL],
    ['a user of the file', [upsertion('x', { name: 'bob' })], [], UNACCEPTABLE_CREDENTIAL],
    ['twice', [upsertion('x'), upsertion('y')], [], DUPLICATE_RESOURCE],
    ['both', [upsertion('x')], [{ name: 'carol', mechanism: 1 }], DUPLICATE_RESOURCE],
    ['what is not there', [], [{ name: 'carol', mechanism: 2 }], RESOURCE_NOT_FOUND],
  ] as const) {
    assert.deepEqual(
      (await alter([...upsertions], [...deletions])).map(([, code]) => code),
      [expected],
      what,
    )
  }
  assert.equal(
    (await login(await connect(), 'PLAIN', 'carol', 'two')).errorCode,
    NONE,
    'nothing of that has changed it',
  )

  // Without rules carol may see nothing, but she is served until she is removed.
  assert.deepEqual((await carol.ask('metadata', 4, { topics: null })).topics, [])
  assert.deepEqual(await alter([], [{ name: 'carol', mechanism: 1 }]), [['carol', NONE]])
  carol.send('metadata', 4, { topics: null })
  assert.ok(await isCut(carol))
  assert.equal((await login(await connect(), 'PLAIN', 'carol', 'two')).errorCode, SASL_AUTHENTICATION_FAILED)
})

test('limits of strangers: time, bytes; none of them afterwards', async () => {
  const limits = { authenticationMsMax: 50, strangersFrameBytesMax: 1_000 }
  const { connect } = await secured({ limits })
  const silent = await connect()
  const talker = await connect()
  const known = await connect()
  await login(known, 'PLAIN', 'ann', 'ann secret')
  await talker.ask('saslHandshake', 1, { mechanism: 'PLAIN' })
  assert.ok(await isCut(silent))
  assert.ok(await isCut(talker))
  assert.ok(await works(known))
  const large = { mechanism: 'x'.repeat(990) }
  const stranger = await connect()
  stranger.send('saslHandshake', 1, large)
  assert.ok(await isCut(stranger))
  const small = await connect()
  small.send('saslHandshake', 1, { mechanism: 'x'.repeat(900) })
  assert.equal((await small.answer('saslHandshake', 1)).body.errorCode, UNSUPPORTED_SASL_MECHANISM)
  const names = Array.from({ length: 200 }, (_, i) => ({ name: `topic-${i}`, topicId: new Uint8Array(16) }))
  assert.equal((await known.ask('metadata', 4, { topics: names })).topics.length, 200)
})

test('a failed login is answered no sooner than it should', async () => {
  const { connect } = await secured({ limits: { failedLoginMs: 150 } })
  for (const mechanism of ['PLAIN', 'SCRAM-SHA-256'] as const) {
    const client = await connect()
    const beganMs = world.clock.monoMs()
    await login(client, mechanism, 'ann', 'wrong')
    assert.ok(world.clock.monoMs() - beganMs >= 145)
  }
})

test('checks of passwords wait in a queue that ends', async () => {
  const { security } = await secured()
  const waitingMax = 20
  const passwords = new Passwords(world, security.credentials, waitingMax)
  assert.equal(await passwords.isRight('ann', 'ann secret'), true)
  let [done, right] = [0, 0]
  const flood = Array.from({ length: waitingMax + 1 }, () => passwords.isRight('bob', 'guess'))
  for (const each of flood) {
    each.then((isRight) => {
      done++
      if (isRight) right++
    })
  }
  await world.clock.sleep(0)
  assert.ok(done >= 1 && done < flood.length, 'the one too many failed at once')
  assert.equal(await passwords.isRight('ann', 'ann secret'), true, 'who was right before does not wait')
  assert.equal(right, 0)
})

test('whoever guesses on waits for each attempt, then is not looked at any more', async () => {
  const { security, connect } = await secured({ limits: { failedLoginMs: 1 } })
  const attempt = async (password: string): Promise<number> =>
    (await login(await connect(), 'SCRAM-SHA-256', 'ann', password)).errorCode
  for (let i = 0; i < failedLoginLimits.freeMax; i++) {
    assert.equal(await attempt('guess'), SASL_AUTHENTICATION_FAILED)
  }
  assert.equal(await attempt('ann secret'), NONE)
  while (security.failedLogins.waitMs('127.0.0.1') < 300) security.failedLogins.failed('127.0.0.1')
  const beganMs = world.clock.monoMs()
  const waitMs = security.failedLogins.waitMs('127.0.0.1')
  assert.equal(await attempt('ann secret'), NONE)
  assert.ok(world.clock.monoMs() - beganMs >= waitMs - 5)
  for (let i = 0; i < 60; i++) security.failedLogins.failed('127.0.0.1')
  assert.equal(await attempt('ann secret'), SASL_AUTHENTICATION_FAILED)
})
