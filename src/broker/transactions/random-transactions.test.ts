// Random transactions against what their producers were told, in the lying world: old and new clients, every request
// repeated now and then, commits, aborts, timeouts, fencing, kills and power cuts. What was committed is read once and
// where it was acknowledged, nothing else is, no transaction is torn, offsets come with it, and in the end none hangs.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { simulate } from '../../../sim/world.ts'
import type { Cursor } from '../../log/log.ts'
import { partitionId } from '../../std/units.ts'
import { baseOffset } from '../../wire/record-batch.ts'
import type { World } from '../../world/world.ts'
import { batchOf, p0, valuesOf } from '../broker.suite.ts'
import { type Broker, openBroker } from '../broker.ts'
import type { ProducerClaim } from './judging.ts'
import { followed, type Read, readCommitted, transactional } from './transactions.suite.ts'

const partitions = 3
const timeoutMs = 20_000
const settings = {
  dataDir: '/data',
  durability: 'power',
  freeBytesMin: 0,
  segmentBytes: 6000,
  cacheBytes: 0,
} as const

interface Told {
  readonly id: string
  readonly group: string
  readonly written: { readonly value: string; readonly partition: number; readonly offset: number }[]
  /** Values that may be there without an acknowledgement. */
  readonly sent: string[]
  /** Offset that it commits for partition 0 of `in`. */
  staged: number | null
  outcome: 'open' | 'committing' | 'committed' | 'aborted'
}
interface History {
  readonly told: Told[]
  /** By group: what may be its committed offset. */
  readonly offsets: Map<string, Set<number>>
  retries: number
  fenced: number
  timeouts: number
  /** Commits of the job in the middle of a transaction. */
  midway: number
}
interface Draw {
  below(n: number): number
}

const runs = 40

test(`${runs} histories of transactions and crashes: all of each or nothing`, async () => {
  const seen = { crashes: 0, committed: 0, aborted: 0, fenced: 0, timeouts: 0, retries: 0, unsure: 0, midway: 0 }
  for (let seed = 0; seed < runs; seed++) {
    const told = `seed ${seed} (to replay it alone, let the loop begin there)`
    const simulation = simulate({ seed: `transactions ${seed}`, faults: { survival: [0, 0.5, 1][seed % 3]! } })
    const random = simulation.random
    const history: History = { told: [], offsets: new Map(), retries: 0, fenced: 0, timeouts: 0, midway: 0 }
    const lives = 5
    for (let life = 0; life < lives; life++) {
      const isLast = life === lives - 1
      const kind = random.below(3) === 0 ? 'kill' : 'power'
      simulation.machine.plan(isLast ? null : { at: 1 + random.below(life % 2 === 0 ? 200 : 40), crash: kind })
      const end = await simulation.run(async (world, process) => {
        const broker = await openBroker(world, { ...settings, transactions: { retryMs: 50 } })
        if (broker.topic('in') === null) await broker.createTopic({ name: 'in', partitions })
        if (broker.topic('out') === null) await broker.createTopic({ name: 'out', partitions: 1 })
        await check(broker, history, told)
        const clients = [0, 1, 2].map((client) => {
          const draw = random.fork(`life ${life} client ${client}`)
          const raises = client !== 1
          return produce(world, broker, { id: `id-${client}`, group: `group-${client}`, raises }, history, draw, () => {
            return process.alive
          })
        })
        await Promise.all([...clients, copy(world, broker, 40, history)])
        if (!isLast) return
        // Nothing hangs: whatever is open has its time, and a second.
        await world.clock.sleep(timeoutMs + 1000)
        for (let partition = 0; partition < partitions; partition++) {
          const id = partitionId(partition)
          assert.equal(broker.stable.end('in', id), broker.offsets('in', id).end, `${told}: something hangs`)
        }
        await check(broker, history, told)
        await broker.close()
        const again = await openBroker(world, settings)
        await check(again, history, told)
        await again.close()
      })
      if (end.end === 'threw') throw new Error(told, { cause: end.error })
      if (end.end === 'crashed') seen.crashes++
      else assert.equal(end.end, 'returned', told)
    }
    for (const { outcome } of history.told) {
      if (outcome === 'committed') seen.committed++
      else if (outcome === 'aborted') seen.aborted++
      else if (outcome === 'committing') seen.unsure++
    }
    seen.fenced += history.fenced
    seen.timeouts += history.timeouts
    seen.retries += history.retries
    seen.midway += history.midway
  }
  // The faults landed, and every kind of end was there.
  assert.ok(seen.crashes > runs * 2, `${seen.crashes} crashes`)
  assert.ok(seen.committed > runs * 20 && seen.aborted > runs * 5, `${seen.committed} commits, ${seen.aborted} aborts`)
  assert.ok(seen.fenced > runs && seen.timeouts > runs / 2, `${seen.fenced} fenced, ${seen.timeouts} timeouts`)
  assert.ok(seen.retries > runs * 20 && seen.unsure > 0, `${seen.retries} retries, ${seen.unsure} unsure`)
  assert.ok(seen.midway > runs, `${seen.midway} commits in the middle of a transaction`)
})

/** A client of one transactional id: `raises`: of KIP-890, else of old. */
async function produce(
  world: World,
  broker: Broker,
  { id, group, raises }: { readonly id: string; readonly group: string; readonly raises: boolean },
  history: History,
  draw: Draw,
  alive: () => boolean,
): Promise<void> {
  const { transactions } = broker
  // What a process computes after its death, nobody is told.
  const equal = (actual: unknown, expected: unknown, what?: string): void => {
    if (alive()) assert.deepEqual(actual, expected, what)
  }
  const init = async (expected: ProducerClaim | null): Promise<ProducerClaim> => {
    for (;;) {
      const answer = await transactions.init(id, timeoutMs, expected)
      if (answer.error === 'NONE') return answer
      if (!alive()) return claim
      assert.ok(['CONCURRENT_TRANSACTIONS', 'PRODUCER_FENCED'].includes(answer.error), answer.error)
      if (answer.error === 'PRODUCER_FENCED') expected = null
      await world.clock.sleep(1)
    }
  }
  let claim: ProducerClaim = { producerId: -1, epoch: -1 }
  claim = await init(null)
  let sequences = new Array<number>(partitions).fill(0)
  const adopt = (next: ProducerClaim): void => {
    if (next.epoch !== claim.epoch || next.producerId !== claim.producerId) sequences = sequences.map(() => 0)
    claim = next
  }
  for (let count = 0; count < 12; count++) {
    if (!alive()) return
    const mine: Told = { id, group, written: [], sent: [], staged: null, outcome: 'open' }
    history.told.push(mine)
    for (let writes = draw.below(5); writes >= 0; writes--) {
      const partition = draw.below(partitions)
      const place = transactions.placeOf('in', partition)!
      if (!raises) {
        for (let times = draw.below(4) === 0 ? 2 : 1; times > 0; times--) {
          equal(await transactions.addPartitions(id, claim, [place]), 'NONE')
        }
      }
      const value = `${id}.${history.told.length}.${writes}.${'x'.repeat(draw.below(120))}`
      mine.sent.push(value)
      const batch = transactional([value], claim, sequences[partition]!++)
      const append = () =>
        broker.appendWithin('in', partitionId(partition), batch, { transactionalId: id, joins: raises })
      const first = append()
      if (draw.below(4) === 0) {
        history.retries++
        equal((await append()).baseOffset, (await first).baseOffset, 'a repeated batch is where it was')
      }
      const { baseOffset } = await first
      if (alive()) mine.written.push({ value, partition, offset: baseOffset })
    }
    if (draw.below(2) === 0) {
      const offset = history.told.length
      if (!raises) equal(await transactions.addOffsets(id, claim, group), 'NONE')
      const place = transactions.placeOf('in', 0)!
      for (let times = draw.below(4) === 0 ? 2 : 1; times > 0; times--) {
        const staged = { group, protocolType: '', joins: raises }
        equal(await transactions.stage(id, claim, staged, [[...place, offset, -1, 'note']]), 'NONE')
      }
      mine.staged = offset
      if (alive()) assert.ok(transactions.isUnstable(group, { topic: 'in', partition: 0 }))
    }
    const what = draw.below(10)
    if (what === 0) {
      // Another instance takes over; the open transaction is aborted, and this one is fenced.
      const old = claim
      adopt(await init(null))
      const late = await transactions.end(id, { ...old, commit: true, raises })
      if (alive()) assert.ok(['PRODUCER_FENCED', 'INVALID_PRODUCER_ID_MAPPING'].includes(late.error), late.error)
      history.fenced++
    } else if (what === 1) {
      await world.clock.sleep(timeoutMs + 100)
      let late = await transactions.end(id, { ...claim, commit: true, raises })
      while (alive() && late.error === 'CONCURRENT_TRANSACTIONS') {
        // The disk may be slow.
        await world.clock.sleep(5)
        late = await transactions.end(id, { ...claim, commit: true, raises })
      }
      equal(late.error, 'PRODUCER_FENCED', 'its time was up')
      history.timeouts++
      adopt(await init(draw.below(2) === 0 ? claim : null))
    } else {
      const commit = what > 3
      if (commit) mine.outcome = 'committing'
      if (commit && mine.staged !== null) entry(history.offsets, group).add(mine.staged)
      const asked = { ...claim, commit, raises }
      const answer = await transactions.end(id, asked)
      equal(answer.error, 'NONE')
      if (alive()) {
        mine.outcome = commit ? 'committed' : 'aborted'
        if (commit && mine.staged !== null) history.offsets.set(group, new Set([mine.staged]))
      }
      if (draw.below(3) === 0) {
        history.retries++
        const again = await transactions.end(id, asked)
        equal(again, answer, 'a repeated end is answered as the first')
        const other = await transactions.end(id, { ...asked, commit: !commit })
        equal(other.error, 'INVALID_TXN_STATE')
      }
      adopt(answer)
    }
  }
}
function entry(offsets: Map<string, Set<number>>, group: string): Set<number> {
  const known = offsets.get(group)
  if (known !== undefined) return known
  // As long as nothing is sure, there may be no offset at all.
  const made = new Set<number>([-1])
  offsets.set(group, made)
  return made
}

/** A job that copies each batch of `in` to `out`, a few at a time: it may commit in the middle of a transaction. */
async function copy(world: World, broker: Broker, commits: number, history: History): Promise<void> {
  const { epoch, cursor } = await broker.takeJob('copy')
  const follower = broker.follow({ job: 'copy', topics: ['in'], from: cursor })
  let previous: Cursor = cursor
  for (let i = 0; i < commits; i++) {
    const entries = follower.poll(1)
    if (entries.length === 0) {
      await world.clock.sleep(5)
      continue
    }
    const appends = entries.map((each) => {
      return { topic: 'out', partition: p0, batch: batchOf(each.kind === 'batch' ? valuesOf(each.bytes) : []) }
    })
    await broker.commit({ job: 'copy', epoch, previous, cursor: follower.cursor(), appends })
    previous = follower.cursor()
    if (previous.includes('+')) history.midway++
  }
  follower.close()
}

/** The same, as the house reads it. */
async function byLog(broker: Broker, partition: number): Promise<Read[]> {
  const found: Read[] = []
  const id = partitionId(partition)
  for (let from = broker.offsets('in', id).start; ; ) {
    const { batches, next } = await broker.readCommitted('in', id, from, 500)
    for (const batch of batches) {
      for (const [i, value] of valuesOf(batch).entries()) found.push({ offset: baseOffset(batch) + i, value })
    }
    if (next === from) return found
    from = next
  }
}

async function check(broker: Broker, history: History, told: string): Promise<void> {
  assert.equal(broker.trouble(), null, told)
  const places = new Map<string, string>()
  for (let partition = 0; partition < partitions; partition++) {
    for (const { value, offset } of await readCommitted(broker, 'in', partition)) {
      assert.ok(!places.has(value), `${told}: ${value} is there twice`)
      places.set(value, `${partition}@${offset}`)
    }
    assert.deepEqual(await byLog(broker, partition), await readCommitted(broker, 'in', partition), told)
  }
  const expected = new Set<string>()
  for (const { outcome, written, sent } of history.told) {
    const there = sent.filter((value) => places.has(value)).length
    if (outcome === 'committed' || (outcome === 'committing' && there > 0)) {
      // Behind an open transaction committed records wait; what is before it is there.
      for (const { value, partition, offset } of written) {
        const isStable = offset < broker.stable.end('in', partitionId(partition))
        assert.equal(places.get(value), isStable ? `${partition}@${offset}` : undefined, `${told}: ${value}`)
      }
      for (const value of sent) if (places.has(value)) expected.add(value)
      if (outcome === 'committed') assert.equal(written.length, sent.length, told)
    } else assert.equal(there, 0, `${told}: ${outcome}, and read`)
  }
  for (const value of places.keys()) assert.ok(expected.has(value), `${told}: ${value} comes from nowhere`)
  for (const [group, possible] of history.offsets) {
    const committed = broker.groupOffsets.committed(group, { topic: 'in', partition: 0 })?.offset ?? -1
    assert.ok(possible.has(committed), `${told}: ${group} at ${committed}, not in ${[...possible]}`)
    // From here on it is known.
    history.offsets.set(group, new Set([committed]))
  }
  // The follower hands out the same, once; and the copies are the first of it.
  const inOrder = followed(broker, ['in'], 200, 3)
  const known = new Set(inOrder)
  assert.equal(known.size, inOrder.length, `${told}: a follower is handed something twice`)
  for (const value of places.keys()) assert.ok(known.has(value), `${told}: ${value} was not handed to a follower`)
  for (const { outcome, sent } of history.told) {
    const handed = sent.filter((value) => known.has(value)).length
    if (outcome === 'open' || outcome === 'aborted') assert.equal(handed, 0, `${told}: ${outcome}, and handed out`)
    else assert.ok(handed === sent.length || (outcome === 'committing' && handed === 0), `${told}: torn for a follower`)
  }
  const copies = (await readCommitted(broker, 'out', 0)).map(({ value }) => value)
  assert.deepEqual(copies, inOrder.slice(0, copies.length), `${told}: the copies are the first of them, once, in order`)
}
