// Makes a small data directory of the present format, for the tests of all later releases: once per released format.
//
//   npm run format-fixture tests/fixtures/formats/1
//
// In it: topics with and without compaction, all codecs, an idempotent producer, transactions that committed and aborted,
// offsets of groups, a job with commits and ticks, deleted topics and records; in the journal and in settled files.
// `expected.json` beside it says what must be read from it for ever.
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { openBroker } from '../src/broker/broker.ts'
import { crc32c } from '../src/std/crc32c.ts'
import { offset, partitionId } from '../src/std/units.ts'
import { BatchWriter } from '../src/wire/batch-writer.ts'
import type { Compression } from '../src/wire/compression.ts'
import { nodeWorld } from '../src/world/node.ts'
import { contentsOf } from '../tests/formats/contents.ts'

const target = process.argv[2]
if (target === undefined || existsSync(target)) throw new Error('name a folder that is not there yet')
mkdirSync(target, { recursive: true })
const dataDir = `${target}/data`
const settings = {
  dataDir,
  durability: 'power',
  freeBytesMin: 0,
  segmentBytes: 4_000,
  retention: { checkEveryMs: 50, fileBytesMax: 3_000, settleAfterMs: 60_000 },
} as const
const codecs: readonly Compression[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd']
const encode = (text: string): Uint8Array => new TextEncoder().encode(text)

function batch(
  rows: readonly string[],
  compression: Compression,
  producer: Parameters<BatchWriter['finish']>[0] = null,
) {
  const writer = new BatchWriter({ compression })
  for (const [i, row] of rows.entries()) writer.append(encode(`key ${i}`), encode(row), 1_790_000_000_000 + i)
  return writer.finish(producer)
}

const world = nodeWorld()
let broker = await openBroker(world, settings)
await broker.createTopic({ name: 'plain', partitions: 2 })
await broker.createTopic({
  name: 'compacted',
  partitions: 1,
  configs: { 'cleanup.policy': 'compact', 'min.cleanable.dirty.ratio': '0.1' },
})
await broker.createTopic({ name: 'short-lived', partitions: 1 })
const p = (id: number) => partitionId(id)
for (let i = 0; i < 30; i++)
  await broker.append('plain', p(i % 2), batch([`plain ${i}`, `second ${i}`], codecs[i % 5]!))
for (let i = 0; i < 40; i++)
  await broker.append('compacted', p(0), batch([`value ${i}`, `other ${i} ${'x'.repeat(40)}`], codecs[i % 5]!))
await broker.append('short-lived', p(0), batch(['gone'], 'none'))
await broker.deleteTopic('short-lived')
await broker.deleteRecords('plain', p(0), offset(3))
const { producerId, epoch } = await broker.newProducerId()
for (let sequence = 0; sequence < 6; sequence += 2) {
  const producer = { producerId, producerEpoch: epoch, baseSequence: sequence }
  await broker.append('plain', p(1), batch([`sequence ${sequence}`, `sequence ${sequence + 1}`], 'none', producer))
}
await broker.groupOffsets.commit('readers', 'consumer', 1_790_000_000_000, [
  { topic: 'plain', partition: 1, offset: 7, leaderEpoch: -1, metadata: 'noted' },
])
for (const [commit, value] of [
  [true, 'committed'],
  [false, 'aborted'],
] as const) {
  const claim = await broker.transactions.init('writer', 60_000, null)
  const place = broker.transactions.placeOf('plain', 1)
  if (claim.error !== 'NONE' || place === null) throw new Error(`no transaction: ${claim.error}`)
  await broker.transactions.addPartitions('writer', claim, [place])
  const producer = { producerId: BigInt(claim.producerId), producerEpoch: claim.epoch, baseSequence: 0 }
  const written = batch([`${value} in a transaction`], 'none', producer)
  written[22]! |= 0x10
  new DataView(written.buffer).setUint32(17, crc32c(written, 21))
  await broker.appendWithin('plain', p(1), written, { transactionalId: 'writer', joins: false })
  const ended = await broker.transactions.end('writer', { ...claim, commit, raises: false })
  if (ended.error !== 'NONE') throw new Error(`a transaction did not end: ${ended.error}`)
}
const state = await broker.takeJob('figures')
const follower = broker.follow({ job: 'figures', topics: ['plain'], from: state.cursor })
follower.poll(500)
await broker.tick('figures', encode('a decision'))
await broker.commit({
  job: 'figures',
  epoch: state.epoch,
  previous: state.cursor,
  cursor: follower.cursor(),
  appends: [{ topic: 'plain', partition: p(0), batch: batch(['a result'], 'none') }],
})
follower.close()
await new Promise((resolve) => setTimeout(resolve, 1_500))
await broker.close()
broker = await openBroker(world, settings)
await broker.append('plain', p(0), batch(['after a restart'], 'none'))
await broker.close()
for (const name of ['lock', 'reserve']) rmSync(`${dataDir}/${name}`, { force: true })
writeFileSync(`${target}/expected.json`, `${JSON.stringify(await contentsOf(world, dataDir), null, 2)}\n`)
