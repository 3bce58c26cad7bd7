// A large segment waits for a burst to pass, never longer than the journal has room; in virtual time.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { simulate } from '../../sim/world.ts'
import { partitionId } from '../std/units.ts'
import type { World } from '../world/world.ts'
import { batchOf, readValues } from './broker.suite.ts'
import { openBroker } from './broker.ts'
import { type JournalFill, SettlingTime } from './settling-time.ts'

const settings = { segmentBytesMin: 1_000, journalBytesMax: 50_000, burstBytes: 100, windowMs: 500 }

function watched() {
  let nowMs = 7
  const clock = { monoMs: () => nowMs } as World['clock']
  const time = new SettlingTime(clock, settings)
  return {
    pass: (ms: number) => {
      nowMs += ms
    },
    waitMs: (segmentBytes: number, fill: Partial<JournalFill>) =>
      time.waitMs(segmentBytes, { fileBytes: 10_000, appendedBytes: 0, ...fill }),
  }
}

test('a small segment never waits, nor any in a journal that is half full', () => {
  const { waitMs } = watched()
  assert.equal(waitMs(999, { appendedBytes: 1e9 }), 0)
  assert.equal(waitMs(1_000, { fileBytes: 50_000, appendedBytes: 1e9 }), 0)
  assert.equal(waitMs(1_000, { fileBytes: 49_999 }), 500)
})

test('a large one waits until a window was quiet; then others need not wait until the next look', () => {
  const { pass, waitMs } = watched()
  assert.equal(waitMs(1_000, { appendedBytes: 0 }), 500)
  pass(200)
  assert.equal(waitMs(1_000, { appendedBytes: 0 }), 300)
  pass(300)
  assert.equal(waitMs(1_000, { appendedBytes: 101 }), 500, 'a burst')
  pass(600)
  assert.equal(waitMs(1_000, { appendedBytes: 101 + 120 }), 0, 'as much as may be in 600 ms')
  pass(499)
  assert.equal(waitMs(1_000, { appendedBytes: 1e9 }), 0)
  pass(1)
  assert.equal(waitMs(1_000, { appendedBytes: 1e9 }), 500)
})

test('what was seen long ago is not taken for news', () => {
  const { pass, waitMs } = watched()
  assert.equal(waitMs(1_000, {}), 500)
  pass(1_000)
  assert.equal(waitMs(1_000, {}), 500)
  pass(500)
  assert.equal(waitMs(1_000, {}), 0)
})

/** Appends about `bytesPerMs`, and tells how much journal there was at most while it did. */
async function loaded(world: World, bytesPerMs: number, forMs: number) {
  const broker = await openBroker(world, {
    dataDir: '/data',
    durability: 'power',
    freeBytesMin: 0,
    segmentBytes: 20_000,
    cacheBytes: 0,
    retention: {
      checkEveryMs: 50,
      logBytesMax: 1 << 30,
      journalBytesMax: 400_000,
      settlingTime: { segmentBytesMin: 10_000, journalBytesMax: 200_000, burstBytes: 20_000, windowMs: 500 },
    },
  })
  await broker.createTopic({ name: 't', partitions: 1 })
  const batch = batchOf(['x'.repeat(2_000)])
  let appended = 0
  let journalMost = 0
  const startMs = world.clock.monoMs()
  while (world.clock.monoMs() - startMs < forMs) {
    for (
      const dueBytes = (world.clock.monoMs() - startMs) * bytesPerMs;
      appended * batch.length < dueBytes;
      appended++
    ) {
      await broker.append('t', partitionId(0), batch)
    }
    journalMost = Math.max(journalMost, broker.stats().journal.fileBytes)
    await world.clock.sleep(5)
  }
  const atEnd = broker.stats().journal.segments
  await world.clock.sleep(2_500)
  const later = broker.stats()
  assert.equal((await readValues(broker, 't', partitionId(0))).length, appended)
  await broker.close()
  return { journalMost, atEnd, later, appended }
}
async function inVirtualTime<T>(run: (world: World) => Promise<T>): Promise<T> {
  const life = await simulate({ seed: 'settling time' }).run(async (world) => {
    world.fs.mkdir('/data')
    return run(world)
  })
  if (life.end === 'threw') throw life.error
  assert.equal(life.end, 'returned')
  return life.value
}

test('a burst is settled when it is over', async () => {
  const { atEnd, later, journalMost } = await inVirtualTime((world) => loaded(world, 70, 2_000))
  assert.ok(atEnd >= 5, `${atEnd} segments wait`)
  assert.ok(journalMost < 200_000, `${journalMost} bytes`)
  assert.equal(later.journal.segments, 1)
  assert.ok(later.retention.settledFiles >= 1)
})
test('a burst without an end is settled from half of the journal on', async () => {
  const { journalMost, later, appended } = await inVirtualTime((world) => loaded(world, 70, 8_000))
  assert.ok(appended * 2_000 > 400_000, 'more than the journal holds was appended')
  assert.ok(journalMost >= 180_000 && journalMost < 300_000, `${journalMost} bytes`)
  assert.equal(later.journal.segments, 1)
})
test('a steady trickle is settled as it comes', async () => {
  const { journalMost } = await inVirtualTime((world) => loaded(world, 15, 8_000))
  assert.ok(journalMost < 60_000, `${journalMost} bytes`)
})
