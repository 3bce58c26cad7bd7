// What the server says to requests that it does not serve, cannot read, or that claim more than they hold: Kafka's own words,
// or none and a closed connection; and the next client is served as if nothing had been.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ApiName, apis, kafkaErrors, writeRequest } from '../../wire/wire.ts'
import { RawClient } from './raw-client.suite.ts'
import { batch, opened, world } from './server.suite.ts'

const framed = (hex: string): Buffer => {
  const body = Buffer.from(hex.replaceAll(' ', ''), 'hex')
  const length = Buffer.alloc(4)
  length.writeInt32BE(body.length)
  return Buffer.concat([length, body])
}
const hex16 = (value: number): string => (value & 0xffff).toString(16).padStart(4, '0')
const hex32 = (value: number): string => (value >>> 0).toString(16).padStart(8, '0')
const blob = (bytes: Uint8Array): string => hex32(bytes.length) + Buffer.from(bytes).toString('hex')

/** Produce below version 3: acks, timeout, one topic `t` with one partition. */
const oldProduce = (version: number, acks: number, partition = 0): Buffer =>
  framed(
    `0000 ${hex16(version)} 00000007 0003 ${Buffer.from('old').toString('hex')} ${hex16(acks)} 000003e8 00000001 0001 74` +
      `00000001 ${hex32(partition)} ${blob(batch(['x']))}`,
  )

test('Produce 0 to 2 is offered and refused in words its client reads', async () => {
  const { core, client } = await opened()
  await core.createTopic({ name: 't', partitions: 1 })
  for (const version of [0, 1, 2]) {
    client.socket.write(oldProduce(version, -1, 4))
    const answer = Buffer.from((await client.frame())!)
    const logAppendTime = version >= 2 ? 'ffffffffffffffff' : ''
    const throttle = version >= 1 ? '00000000' : ''
    const partition = `00000004 ${hex16(kafkaErrors.UNSUPPORTED_VERSION)} ffffffffffffffff ${logAppendTime}`
    const expected = `00000007 00000001 0001 74 00000001 ${partition} ${throttle}`
    assert.equal(answer.toString('hex'), expected.replaceAll(' ', ''), `version ${version}`)
  }
  assert.equal(core.offsets('t', 0 as never).end, 0)
  client.socket.write(oldProduce(2, 0))
  assert.equal(await client.frame(), null)
})

test('each API, each version: a request that is cut short closes the connection', async () => {
  const { server } = await opened()
  for (const name of Object.keys(apis) as ApiName[]) {
    const api = apis[name]
    for (let version = api.versions.min; version <= api.versions.max; version++) {
      const whole = Buffer.concat(writeRequest(api as never, version, 9, 'client', {} as never))
      // A body that is empty cannot be cut short: then its header is.
      const cut = Buffer.from(whole.subarray(0, Math.max(14, whole.length - 1)))
      if (cut.length === whole.length) continue
      cut.writeInt32BE(cut.length - 4)
      const client = await RawClient.connect(world, server)
      client.socket.write(cut)
      assert.equal(await client.frame(), null, `${name} ${version}`)
    }
  }
})

test('each API, one version above and below: closed, but for ApiVersions and old Produce', async () => {
  const { server } = await opened()
  for (const api of Object.values(apis)) {
    for (const version of [api.versions.min - 1, api.versions.max + 1, 0x7fff]) {
      if (api.key === apis.apiVersions.key || (api.key === apis.produce.key && version >= 0 && version < 3)) continue
      const client = await RawClient.connect(world, server)
      client.socket.write(framed(`${hex16(api.key)} ${hex16(version)} 00000001 ffff 00 00 00 00 00 00 00 00`))
      assert.equal(await client.frame(), null, `${api.name} ${version}`)
    }
  }
  // Keys that brokers speak among themselves, that do not exist, and that are below 0.
  const known = new Set<number>(Object.values(apis).map(({ key }) => key))
  for (const key of [4, 5, 6, 7, 38, 71, 76, 88, 93, 1_000, -1].filter((each) => !known.has(each))) {
    const client = await RawClient.connect(world, server)
    client.socket.write(framed(`${hex16(key)} 0000 00000001 ffff 00000000`))
    assert.equal(await client.frame(), null, `key ${key}`)
  }
})

for (const [what, hex] of [
  ['Metadata of 2^31-1 topics', '0003 0001 00000001 ffff 7fffffff'],
  ['Metadata of -2 topics', '0003 0001 00000001 ffff fffffffe'],
  ['Metadata of as many topics as there are bytes', `0003 0001 00000001 ffff 00000014 ${'00'.repeat(20)}`],
  ['Metadata with a compact count of 2^32-1', '0003 0009 00000001 ffff 00 ffffffff0f'],
  ['Metadata with a count that never ends', '0003 0009 00000001 ffff 00 ffffffffffffffff'],
  [
    'Fetch of 2^31-1 partitions',
    '0001 0004 00000001 ffff ffffffff 00000000 00000001 00100000 00 00000001 0001 74 7fffffff',
  ],
  [
    'Produce with records of 2^31-1 bytes',
    '0000 0003 00000001 ffff ffff ffff 000003e8 00000001 0001 74 00000001 00000000 7fffffff',
  ],
  ['a client id of 32,767 bytes that are not there', '0003 0001 00000001 7fff 00000000'],
  ['a client id of -2 bytes', '0003 0001 00000001 fffe 00000000'],
  ['2^32-1 tags', '0003 0009 00000001 ffff ffffffff0f'],
  ['a tag of 2^31 bytes', '0003 0009 00000001 ffff 01 00 8080808008 00'],
] as const) {
  test(`${what}: closed, and nothing is made room for`, async () => {
    const { server, client } = await opened()
    const { arrayBuffers } = process.memoryUsage()
    client.socket.write(framed(hex))
    assert.equal(await client.frame(), null)
    assert.ok(process.memoryUsage().arrayBuffers - arrayBuffers < 32 << 20)
    const next = await RawClient.connect(world, server)
    assert.equal((await next.ask('metadata', 1, { topics: [] })).brokers.length, 1)
  })
}

test('bytes behind the end of a request are ignored, as Kafka does', async () => {
  const { client } = await opened()
  client.socket.write(framed('0003 0001 00000001 ffff 00000000 00 01 02'))
  assert.equal((await client.answer('metadata', 1)).body.brokers.length, 1)
})

test('arrays: as many elements as four times the frame and 64 KiB can hold, and 128 bytes a partition, and no more', async () => {
  const { core, server } = await opened()
  // A topic of Metadata 4 takes three bytes; in memory a place, an object of two fields, and a text.
  const ask = async (count: number): Promise<boolean> => {
    const client = await RawClient.connect(world, server)
    client.socket.write(framed(`0003 0004 00000001 ffff ${hex32(count)} ${'0001 2e'.repeat(count)} 00`))
    const answer = await client.frame()
    client.socket.destroy()
    return answer !== null
  }
  const takes = (count: number): number => 24 + 4 * 8 + 32 + 16 + count * (8 + 24 + 2 * 8 + 24)
  const mostOf = (partitions: number): number => {
    let most = 1
    while (takes(most + 1) <= 64 * 1024 + 4 * (15 + (most + 1) * 3) + 128 * partitions) most++
    return most
  }
  assert.equal(await ask(mostOf(0)), true)
  assert.equal(await ask(mostOf(0) + 1), false)
  core.partitions = 1_000
  assert.equal(await ask(mostOf(1_000)), true)
  assert.equal(await ask(mostOf(1_000) + 1), false)
})

test('an answer is no larger than all there is to tell, however often it is asked for', async () => {
  const { core, client } = await opened()
  const { id } = await core.createTopic({ name: 't', partitions: 50 })
  const none = new Uint8Array(16)
  const often = <T>(one: T): readonly T[] => Array.from({ length: 500 }, () => one)
  const byName = await client.ask('metadata', 12, { topics: often({ name: 't', topicId: none }) })
  assert.equal(byName.topics.length, 1)
  const names = Array.from({ length: 500 }, (_, i) => ({ name: `n${i}`, topicId: id }))
  assert.equal((await client.ask('metadata', 12, { topics: names })).topics.length, 1)
  const resource = { resourceType: 2, resourceName: 't', configurationKeys: null }
  assert.equal((await client.ask('describeConfigs', 4, { resources: often(resource) })).results.length, 1)
  assert.equal((await client.ask('describeGroups', 5, { groups: often('g') })).groups.length, 1)
  assert.equal((await client.ask('consumerGroupDescribe', 1, { groupIds: often('g') })).groups.length, 1)
  const group = { groupId: 'g', memberId: null, memberEpoch: -1, topics: null }
  assert.equal((await client.ask('offsetFetch', 9, { groups: often(group) })).groups.length, 1)
})

test('100,000 elements at most, whatever the size of the frame', async () => {
  const { server } = await opened()
  for (const [count, answered] of [
    [100_000, true],
    [100_001, false],
  ] as const) {
    const client = await RawClient.connect(world, server)
    // Names of 100 bytes, so that the frame is large enough for each.
    client.socket.write(
      framed(`0003 0004 00000001 ffff ${hex32(count)} ${`0064 ${'2e'.repeat(100)}`.repeat(count)} 00`),
    )
    assert.equal((await client.frame()) !== null, answered)
    client.socket.destroy()
  }
})
