// A job with shards is, after every batch and tick, the job without them: rows, timing, evidence, dead letters, late
// records, raises, ledger and watermarks. Shards run ahead as far as they like, their number changes at restarts, and
// nothing shows which plans gather panes on other threads and which get the rows.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { contract, field, nullable } from '../query/contract.ts'
import type { Plan } from '../query/plan.ts'
import {
  argmax,
  average,
  calendar,
  count,
  countDistinct,
  cumulative,
  first,
  from,
  hopping,
  last,
  max,
  min,
  quantile,
  session,
  sum,
  tumbling,
  variance,
} from '../query/query.ts'
import { type RandomStream, randomStream } from '../std/random.ts'
import { batchOf, plainRows } from './batches.suite.ts'
import { type Job, openJob, openShard, type Shard, type SourceBatch, type Tick } from './engine.ts'

const PARTITIONS = 5
const events = contract({
  topic: 'events',
  version: 1,
  partitions: PARTITIONS,
  key: 'who',
  eventTime: 'at',
  outOfOrderMs: 2000,
  idleTimeoutMs: 1000,
  futureLimitMs: 1000,
  doc: 'test events',
  fields: {
    who: field({ kind: 'string' }, 'group'),
    what: nullable({ kind: 'string' }, 'counted'),
    size: nullable({ kind: 'int64' }, 'number, maybe'),
    price: field({ kind: 'money', scale: 2, currency: 'USD' }, 'amount'),
    note: nullable({ kind: 'string' }, 'passes through'),
    at: field({ kind: 'timestamp' }, 'when'),
  },
})
/** Leaves the exact numbers now and then: dead letters of a step. */
const stream = from(events).derive((e) => ({ total: e.price.times(1_000_000) }))

const windows = {
  tumbling: tumbling({ sizeMs: 2000 }),
  hopping: hopping({ sizeMs: 6000, slideMs: 1000 }),
  cumulative: cumulative({ sizeMs: 6000, stepMs: 1000 }),
  calendar: calendar('day'),
}
type Shape = keyof typeof windows

/** All of its states can be gathered. */
function gathering(shape: Shape, groups: 0 | 1 | 2, emit: 'on-change' | 'on-close' | { everyMs: number }): Plan {
  const windowed = stream.window(windows[shape])
  const grouped = groups === 0 ? windowed : groups === 1 ? windowed.groupBy('what') : windowed.groupBy('what', 'size')
  const table = grouped
    .aggregate((e) => ({
      n: count(),
      sized: count(e.size),
      volume: sum(e.size),
      revenue: sum(e.total),
      mean: average(e.price, { scale: 1 }),
      people: countDistinct(e.who),
      kinds: countDistinct(e.size),
      dear: countDistinct(e.who, { where: e.price.above(5) }),
      most: max(e.total),
      least: min(e.size),
      opener: first(e.what),
      closed: last(e.size, { where: e.price.above(5) }),
      buyer: argmax(e.who, e.size),
      owner: argmax(e.price, e.what),
      highest: max(e.what),
      spread: variance(e.price),
      middle: quantile(e.total, 0.5),
      tail: quantile(e.price, 0.9, { where: e.size.above(0) }),
    }))
    .lateness(3000)
  return (emit === 'on-close' ? table : table.emit(emit)).named(`${shape}-${groups}`)
}
/** These are given the rows. */
const elsewhere: readonly (() => Plan)[] = [
  () =>
    from(events)
      .window(session({ gapMs: 1500 }))
      .groupBy('who')
      .aggregate((e) => ({ n: count(), opener: first(e.note) }))
      .lateness(2000)
      .emit('on-change')
      .named('sessions'),
  () =>
    from(events)
      .deduplicate({ identity: ['note'], horizonMs: 5000 })
      .window(tumbling({ sizeMs: 1000 }))
      .aggregate(() => ({ n: count() }))
      .named('once'),
  () =>
    from(events)
      .filter((e) => e.price.above(8))
      .named('rows'),
]

type Action = { readonly kind: 'push'; readonly batch: SourceBatch } | { readonly kind: 'tick'; readonly tick: Tick }

function script(random: RandomStream, steps: number): Action[] {
  const actions: Action[] = []
  const offsets = new Array<number>(PARTITIONS).fill(0)
  let now = 1_700_000_000_000
  for (let step = 0; step < steps; step++) {
    if (random.below(6) === 0) {
      const idle = random.below(2) === 0 ? [{ topic: 'events', partition: random.below(PARTITIONS) }] : []
      actions.push({ kind: 'tick', tick: { atMs: step * 1000, interval: random.below(2) === 0, idle } })
      continue
    }
    const partition = random.below(PARTITIONS)
    const texts: (string | null)[] = []
    for (let i = 1 + random.below(8); i > 0; i--) {
      now += random.below(300)
      const behind = random.below(4) === 0 ? random.below(9000) : random.below(1900)
      const kind = random.below(30)
      if (kind === 0) texts.push(null)
      else if (kind === 1) texts.push('{"who":')
      else
        texts.push(
          JSON.stringify({
            who: `u${random.below(40)}`,
            what: random.below(5) === 0 ? null : `t${random.below(3)}`,
            size: random.below(4) === 0 ? null : random.below(4) - 1,
            price: kind === 2 ? 90_000_000 : random.below(1000) / 100,
            note: random.below(3) === 0 ? null : `n${random.below(60)} é`,
            at: new Date(now - behind).toISOString(),
          }),
        )
    }
    const offset = offsets[partition]!
    offsets[partition] = offset + texts.length
    actions.push({ kind: 'push', batch: batchOf('events', partition, offset, texts) })
  }
  return actions
}

/** What the job told and stands at, in words that can be compared. */
function told(job: Job): unknown {
  const output = job.take()
  return {
    rows: plainRows(output),
    dead: output.deadLetters.toSorted((a, b) => a.partition - b.partition || a.offset - b.offset),
    late: output.lateRecords,
    raises: output.raises,
    ledger: job.ledger(),
    watermarkMs: job.watermarkMs('events'),
    partitions: job.partitions('events'),
  }
}
function act(job: Job, action: Action): void {
  if (action.kind === 'tick') job.tick(action.tick)
  else job.push(action.batch)
}

/** Gives batches out to shards that run ahead; what they made is taken in, in order. */
class Sharded {
  readonly job: Job
  readonly #shards: readonly Shard[]
  readonly #told = new Set<number>()
  readonly #ready: { readonly shard: number; readonly piece: Uint8Array; readonly batch: SourceBatch }[] = []
  constructor(job: Job, plans: readonly Plan[], shards: number) {
    this.job = job
    this.#shards = Array.from({ length: shards }, () => openShard(plans, { bounded: false }))
  }
  give(batch: SourceBatch, absorbed: () => void): void {
    const { topic, partition } = batch
    const shard = partition % this.#shards.length
    const idle = this.job.isIdle(topic, partition)
    if (idle) this.drain(absorbed)
    if (idle || !this.#told.has(partition))
      this.#shards[shard]!.setPartition(topic, partition, this.job.wakingAt(topic, partition), false)
    this.#told.add(partition)
    this.#ready.push({ shard, piece: this.#shards[shard]!.push(batch), batch })
  }
  absorbOne(): void {
    const { shard, piece, batch } = this.#ready.shift()!
    this.job.absorb(shard, piece, (use) => use(batch))
  }
  get waiting(): number {
    return this.#ready.length
  }
  drain(absorbed: () => void): void {
    while (this.#ready.length > 0) {
      this.absorbOne()
      absorbed()
    }
  }
  flush(): void {
    this.#shards.forEach((shard, number) => {
      this.job.absorb(number, shard.flush(), () => assert.fail('a flush brings no records'))
    })
  }
  tick(tick: Tick): void {
    this.flush()
    this.job.tick(tick)
    for (const { topic, partition } of tick.idle)
      this.#shards[partition % this.#shards.length]!.setPartition(
        topic,
        partition,
        this.job.wakingAt(topic, partition),
        true,
      )
  }
}

function check(seed: number): void {
  const random = randomStream(`shards-${seed}`)
  const replay = `seed ${seed}: SHARD_SEED=${seed} npm test -- src/engine/shard`
  const shapes = Object.keys(windows) as Shape[]
  const emits = ['on-change', 'on-close', { everyMs: 1000 }] as const
  const made = [
    gathering(shapes[random.below(4)]!, random.below(3) as 0 | 1 | 2, emits[random.below(3)]!),
    ...elsewhere.filter(() => random.below(4) === 0).map((plan) => plan()),
  ]
  const plans = random.below(2) === 0 ? made : made.toReversed()
  const actions = script(random, 120)
  const alone = openJob(plans, { bounded: false })
  const expected = actions.map((action) => {
    act(alone, action)
    return told(alone)
  })
  let sharded = new Sharded(openJob(plans, { bounded: false }), plans, 1 + random.below(3))
  let compared = 0
  const compare = (): void => {
    assert.deepEqual(told(sharded.job), expected[compared], `step ${compared}; ${replay}`)
    compared++
  }
  for (const action of actions) {
    if (action.kind === 'tick') {
      sharded.drain(compare)
      sharded.tick(action.tick)
      compare()
    } else {
      sharded.give(action.batch, compare)
      while (sharded.waiting > 0 && random.below(3) === 0) {
        sharded.absorbOne()
        compare()
      }
    }
    if (random.below(25) !== 0) continue
    // A restart: another number of shards, or none for a while, goes on from the same snapshot.
    sharded.drain(compare)
    sharded.flush()
    assert.equal(plainRows(sharded.job.take()).length, 0, replay)
    const job = openJob(plans, { bounded: false })
    job.restore(sharded.job.snapshot())
    sharded = new Sharded(job, plans, 1 + random.below(4))
  }
  sharded.drain(compare)
  sharded.flush()
  alone.finish()
  sharded.job.finish()
  assert.deepEqual(told(sharded.job), told(alone), replay)
}

test('with shards, after every batch, a job is what it is without: random plans and records', () => {
  const only = process.env.SHARD_SEED
  if (only !== undefined) check(Number(only))
  else for (let seed = 0; seed < 40; seed++) check(seed)
})
