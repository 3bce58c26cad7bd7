// Shards over real and simulated threads: a ring that is nearly always full holds its source back and changes nothing, a
// batch that fits no ring is the job's own work, and a shard that fails is not passed over.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { simulate } from '../../sim/world.ts'
import { encodeRow, type Job, openJob } from '../engine/engine.ts'
import { contract, field } from '../query/contract.ts'
import { count, countDistinct, from, hopping, max } from '../query/query.ts'
import { randomStream } from '../std/random.ts'
import { BatchWriter } from '../wire/batch-writer.ts'
import { nodeWorld } from '../world/node.ts'
import type { World } from '../world/world.ts'
import { recordSource } from './record-source.ts'
import { type BatchEntry, ShardError, Shards } from './shards.ts'

const partitions = 3
const visits = contract({
  topic: 'visits',
  version: 1,
  partitions,
  key: 'who',
  eventTime: 'at',
  outOfOrderMs: 1000,
  idleTimeoutMs: 1000,
  futureLimitMs: 1000,
  doc: 'visits',
  fields: {
    who: field({ kind: 'string' }, 'who'),
    page: field({ kind: 'int64' }, 'what'),
    at: field({ kind: 'timestamp' }, 'when'),
  },
})
const plan = from(visits)
  .window(hopping({ sizeMs: 4000, slideMs: 1000 }))
  .groupBy('who')
  .aggregate((visit) => ({ n: count(), pages: countDistinct(visit.page), most: max(visit.page) }))
  .lateness(2000)
  .named('visits')
const settings = { bounded: false, partitions: { visits: partitions } }

function entries(seed: string, batches: number): BatchEntry[] {
  const random = randomStream(seed)
  const offsets = new Array<number>(partitions).fill(0)
  return Array.from({ length: batches }, (_, i) => {
    const writer = new BatchWriter()
    // Now and then one that fits no ring.
    const records = i % 17 === 16 ? 900 : 1 + random.below(40)
    for (let k = 0; k < records; k++) {
      const atMs = 1_700_000_000_000 + i * 150 - random.below(random.below(20) === 0 ? 9000 : 900)
      const text =
        random.below(50) === 0
          ? '{'
          : JSON.stringify({ who: `w${random.below(5)}`, page: random.below(90), at: new Date(atMs).toISOString() })
      writer.append(null, new TextEncoder().encode(text), 4_000_000_000_000)
    }
    const partition = random.below(partitions)
    const baseOffset = offsets[partition]!
    offsets[partition] = baseOffset + records
    return { topic: 'visits', partition, baseOffset, bytes: writer.finish() }
  })
}
function told(job: Job): unknown {
  const { results, deadLetters, lateRecords } = job.take()
  return {
    rows: results.flatMap((batch) => Array.from({ length: batch.count }, (_, row) => encodeRow(batch, row))),
    dead: deadLetters.map(({ partition, offset }) => [partition, offset]).sort(),
    late: lateRecords.map(({ partition, offset }) => [partition, offset]),
  }
}

async function through(world: World, given: readonly BatchEntry[]): Promise<{ told: unknown[]; waited: number }> {
  const job = openJob([plan], settings)
  const shards = new Shards(world, job, {
    plans: [plan],
    settings,
    partitionsOf: () => partitions,
    count: 2,
    ringBytes: 16_384,
  })
  const inline = recordSource(job)
  const found: unknown[] = []
  let waited = 0
  const some = async (): Promise<void> => {
    if (shards.absorb(1) === 0) await shards.arrived()
  }
  for (const entry of given) {
    if (shards.takes(entry)) {
      while (!shards.offer(entry, () => found.push(told(job)))) {
        waited++
        await some()
      }
      continue
    }
    while (!shards.flush(() => {})) await some()
    while (!shards.idle) await some()
    inline(entry.topic, entry.partition, entry.baseOffset, entry.bytes)
    found.push(told(job))
    shards.tellPartition(entry.topic, entry.partition)
  }
  while (!shards.flush(() => {})) await some()
  while (!shards.idle) await some()
  await shards.stop()
  job.finish()
  return { told: [...found, told(job)], waited }
}
function alone(given: readonly BatchEntry[]): unknown[] {
  const job = openJob([plan], settings)
  const push = recordSource(job)
  const found = given.map((entry) => {
    push(entry.topic, entry.partition, entry.baseOffset, entry.bytes)
    return told(job)
  })
  job.finish()
  return [...found, told(job)]
}

test('a full ring holds the source back and changes nothing: simulated threads', async () => {
  let waited = 0
  for (let seed = 0; seed < 10; seed++) {
    const given = entries(`full-ring-${seed}`, 120)
    const ended = await simulate({ seed: `full-ring-${seed}` }).run((world) => through(world, given))
    if (ended.end === 'threw') throw ended.error
    assert.ok(ended.end === 'returned', ended.end)
    waited += ended.value.waited
    assert.deepEqual(ended.value.told, alone(given), `seed ${seed}`)
  }
  assert.ok(waited > 100, `the rings were full ${waited} times`)
})

test('real threads tell the same', async () => {
  const given = entries('real-threads', 300)
  assert.deepEqual((await through(nodeWorld({ seed: 'real' }), given)).told, alone(given))
})

test('a shard that fails ends the work, with its reason', async () => {
  const world = nodeWorld({ seed: 'fails' })
  const job = openJob([plan], settings)
  const shards = new Shards(world, job, {
    // Another Plan than the job's: what it finds wrong it throws.
    plans: [],
    settings,
    partitionsOf: () => partitions,
    count: 1,
    ringBytes: 32_768,
  })
  const [entry] = entries('fails', 1)
  assert.ok(entry)
  shards.offer(entry, () => assert.fail('it is never done'))
  await shards.arrived()
  while (!shards.idle) {
    try {
      shards.absorb(1)
    } catch (error) {
      assert.ok(
        error instanceof ShardError && /no plan of this shard reads 'visits'/.test(error.message),
        String(error),
      )
      await shards.stop()
      return
    }
    await shards.arrived()
  }
})
