// A job that has not reached the marker of a committed transaction, and what deletions do to the records before it: they
// are handed out, or the loss is named. Never stepped over.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LogEntry } from '../../log/log.ts'
import { offset, partitionId } from '../../std/units.ts'
import { batchOf, machine, p0, refused, valuesOf } from '../broker.suite.ts'
import type { Broker } from '../broker.ts'
import { transactional } from './transactions.suite.ts'

const small = {
  segmentBytes: 6000,
  cacheBytes: 0,
  retention: { checkEveryMs: 5, logBytesMax: 1 << 30, pinnedBytesMax: 0 },
}
const within = { transactionalId: 'shop', joins: true }
const other = partitionId(1)

/** A transaction over five records, and a cursor that is behind them and before its end. */
async function begun(broker: Broker, configs: Record<string, string> = {}): Promise<{ from: LogEntry['after'] }> {
  await broker.createTopic({ name: 't', partitions: 2, configs })
  const claim = await broker.transactions.init('shop', 60_000, null)
  for (let i = 0; i < 5; i++) {
    await broker.appendWithin('t', p0, transactional([`in ${i} ${'z'.repeat(300)}`], claim, i), within)
  }
  await broker.append('t', other, batchOf(['between']))
  const follower = broker.follow({ job: 'job', topics: ['t'], from: broker.origin() })
  const met = follower.poll(1 << 20)
  assert.deepEqual(values(met), ['between'])
  const from = follower.cursor()
  follower.close()
  assert.equal((await broker.transactions.end('shop', { ...claim, commit: true, raises: true })).error, 'NONE')
  return { from }
}
function values(entries: readonly LogEntry[]): string[] {
  return entries.flatMap((entry) => (entry.kind === 'batch' ? valuesOf(entry.bytes) : [])).map((each) => each.trim())
}
function rest(broker: Broker, from: LogEntry['after']): string[] {
  const follower = broker.follow({ job: 'job', topics: ['t'], from })
  const met: string[] = []
  try {
    for (let polled = follower.poll(500); polled.length > 0; polled = follower.poll(500)) met.push(...values(polled))
  } finally {
    follower.close()
  }
  return met.map((each) => each.slice(0, 4))
}
async function filled(broker: Broker, until: () => boolean): Promise<void> {
  for (let i = 0; i < 400; i++) {
    if (i < 60) await broker.append('t', p0, batchOf([`fill ${'y'.repeat(300)}`]))
    if (i >= 60 && until()) return
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
  assert.fail(`never: ${JSON.stringify(broker.stats())}`)
}

test('retention took what a committed transaction wrote before the job met its marker: the loss is named', async () => {
  const here = machine('overtaken')
  let broker = await here.open(small)
  const { from } = await begun(broker, { 'segment.bytes': '2000', 'retention.bytes': '0' })
  await filled(broker, () => broker.offsets('t', p0).start > 10)
  assert.throws(() => rest(broker, from), refused('OFFSET_OUT_OF_RANGE'))
  await broker.close()
  broker = await here.open(small)
  assert.throws(() => rest(broker, from), refused('OFFSET_OUT_OF_RANGE'))
  await broker.close()
})

test('only some of its records are gone: the loss is named', async () => {
  const here = machine('some')
  const broker = await here.open(small)
  const { from } = await begun(broker, { 'segment.bytes': '1000' })
  await filled(broker, () => broker.stats().journal.segments <= 1)
  await broker.deleteRecords('t', p0, offset(3))
  for (let i = 0; i < 400 && broker.stats().retention.settledFiles === 0; i++)
    await new Promise((r) => setTimeout(r, 2))
  await new Promise((resolve) => setTimeout(resolve, 50))
  assert.throws(() => rest(broker, from), refused('OFFSET_OUT_OF_RANGE'))
  await broker.close()
})

test('records deleted by hand before the job met their marker, still on the disk: the same as without a transaction', async () => {
  const here = machine('by-hand')
  const broker = await here.open({})
  const { from } = await begun(broker)
  await broker.append('t', p0, batchOf(['free']))
  await broker.deleteRecords('t', p0, offset(7))
  assert.deepEqual(rest(broker, from), ['in 0', 'in 1', 'in 2', 'in 3', 'in 4', 'free'])
  await broker.close()
})

test('they are settled, and deleted by hand: the same as without a transaction, or the loss is named', async () => {
  const here = machine('by-hand-settled')
  const broker = await here.open(small)
  const { from } = await begun(broker)
  await filled(broker, () => broker.stats().journal.segments <= 1)
  await broker.deleteRecords('t', p0, offset(7))
  await new Promise((resolve) => setTimeout(resolve, 50))
  assert.deepEqual(rest(broker, from).slice(0, 6), ['in 0', 'in 1', 'in 2', 'in 3', 'in 4', 'fill'])
  await broker.close()
})
