// What every `Log` promises, as tests: the embedded broker and a Kafka cluster run the same ones. A log is opened fresh
// for each test; topics have names of their own, for a cluster may be shared.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type Commit,
  type Cursor,
  FencedError,
  type Follower,
  type Log,
  type LogEntry,
  LogError,
  type LogErrorCode,
} from '../../src/log/log.ts'
import { randomStream } from '../../src/std/random.ts'
import { offset, partitionId } from '../../src/std/units.ts'
import { BatchWriter } from '../../src/wire/batch-writer.ts'
import { baseOffset, lastOffset, recordSlots, recordsOf, walkRecords } from '../../src/wire/record-batch.ts'

export interface OpenedLog {
  readonly log: Log
  close(): Promise<void>
}
export interface LogPlace {
  /** Opens it; again after a `close`, with all that is durable. */
  open(): Promise<OpenedLog>
  /** A second one on the same records at the same time, as another process would open it; null where there is none. */
  readonly beside: (() => Promise<OpenedLog>) | null
  /** True: one order of everything, the same for all followers. False: inside a partition, and what commits wrote down. */
  readonly hasOneOrder: boolean
  done(): Promise<void>
}

const p0 = partitionId(0)
const p1 = partitionId(1)
const encoder = new TextEncoder()
const decoder = new TextDecoder()
export const bytesOf = (value: string): Uint8Array => encoder.encode(value)

export function batchOf(...values: readonly string[]): Uint8Array {
  const writer = new BatchWriter()
  for (const [i, value] of values.entries()) writer.append(bytesOf(`k${i}`), bytesOf(value), 1000 + i)
  return writer.finish()
}
export function valuesOf(batch: Uint8Array): string[] {
  const { bytes, start, end } = recordsOf(batch)
  const slots = recordSlots(1000)
  walkRecords(bytes, start, end, slots)
  return Array.from({ length: slots.count }, (_, i) =>
    decoder.decode(bytes.subarray(slots.valueStart[i]!, slots.valueEnd[i]!)),
  )
}
const refused = (code: LogErrorCode) => (error: unknown) => error instanceof LogError && error.code === code

export const textOf = (entry: LogEntry): string =>
  entry.kind === 'tick'
    ? `tick ${decoder.decode(entry.payload)}`
    : `${entry.topic.split('.')[0]}-${entry.partition}@${entry.baseOffset} ${valuesOf(entry.bytes).join(',')}`

/** Everything until the follower has caught up, or so many entries. */
export async function drained(follower: Follower, countMax = Number.POSITIVE_INFINITY): Promise<LogEntry[]> {
  const all: LogEntry[] = []
  const endMs = Date.now() + 30_000
  while (all.length < countMax) {
    const entries = follower.poll(countMax === Number.POSITIVE_INFINITY ? 100_000 : 1)
    all.push(...entries)
    if (entries.length > 0) continue
    if (countMax === Number.POSITIVE_INFINITY && follower.caughtUp()) break
    assert.ok(Date.now() < endMs, `after 30 s only ${all.length} entries came:\n${all.map(textOf).join('\n')}`)
    await Promise.race([follower.ready(), new Promise((resolve) => setTimeout(resolve, 20))])
  }
  return all
}
const drainedText = async (follower: Follower, countMax?: number): Promise<string[]> =>
  (await drained(follower, countMax)).map(textOf)
/** In the one order, or in that of partitions. */
const inOrder = (texts: readonly string[], hasOneOrder: boolean): readonly string[] =>
  hasOneOrder ? texts : texts.toSorted()

let names = 0
const fresh = (name: string): string => `${name}.${process.pid}.${Date.now()}.${++names}`
const committedValues = async (log: Log, topic: string, partition = p0): Promise<string[]> => {
  const values: string[] = []
  for (let from = offset(log.offsets(topic, partition).start); ; ) {
    const { batches, next } = await log.readCommitted(topic, partition, from, 200)
    for (const batch of batches) values.push(...valuesOf(batch))
    if (next === from) return values
    from = next
  }
}

export function logContract(name: string, place: () => Promise<LogPlace>): void {
  const on = (title: string, body: (place: LogPlace, opened: OpenedLog) => Promise<OpenedLog>): void => {
    test(`${name}: ${title}`, async () => {
      const own = await place()
      let opened: OpenedLog | null = null
      try {
        opened = await own.open()
        opened = await body(own, opened)
      } finally {
        await opened?.close()
        await own.done()
      }
    })
  }

  on('records come back in order with their offsets, after it was opened again too', async (place, opened) => {
    const name = fresh('sales')
    const topic = await opened.log.createTopic({ name, partitions: 2, configs: { 'retention.ms': '100000000' } })
    assert.equal(topic.id.length, 16)
    assert.deepEqual([topic.partitions, topic.internal], [2, false])
    const first = await opened.log.append(name, p0, batchOf('a', 'b', 'c'))
    const [second, third] = await Promise.all([
      opened.log.append(name, p0, batchOf('d')),
      opened.log.append(name, p0, batchOf('e', 'f')),
      opened.log.append(name, p1, batchOf('x')),
    ])
    assert.deepEqual([first.baseOffset, second.baseOffset, third.baseOffset], [0, 3, 4])
    for (const life of [1, 2]) {
      const { log } = opened
      assert.deepEqual(log.topic(name), topic)
      assert.ok(log.topics().some((each) => each.name === name))
      assert.deepEqual(log.offsets(name, p0), { start: 0, end: 6 })
      assert.deepEqual(await committedValues(log, name), ['a', 'b', 'c', 'd', 'e', 'f'])
      assert.deepEqual(await committedValues(log, name, p1), ['x'])
      const batches = await log.read(name, p0, offset(1), 1_000_000)
      assert.deepEqual(
        batches.map((batch) => baseOffset(batch)),
        [0, 3, 4],
        'whole batches, from the one that holds it',
      )
      assert.deepEqual(
        (await log.read(name, p0, offset(3), 1)).map((batch) => baseOffset(batch)),
        [3],
        'at least one',
      )
      assert.deepEqual(await log.read(name, p0, offset(6), 100), [], 'nothing at the end')
      if (life === 2) return opened
      await opened.close()
      opened = await place.open()
    }
    return opened
  })

  on(
    'what is refused: unknown places, names taken, settings that are none, offsets outside, damaged batches',
    async (_, opened) => {
      const { log } = opened
      const name = fresh('t')
      await log.createTopic({ name, partitions: 1, configs: { 'max.message.bytes': '200' } })
      await assert.rejects(log.createTopic({ name, partitions: 1 }), refused('TOPIC_ALREADY_EXISTS'))
      await assert.rejects(log.createTopic({ name: 'a/b', partitions: 1 }), refused('INVALID_TOPIC_EXCEPTION'))
      await assert.rejects(log.createTopic({ name: fresh('n'), partitions: 0 }), refused('INVALID_PARTITIONS'))
      const configs = { 'no.such.config': '1' }
      await assert.rejects(log.createTopic({ name: fresh('c'), partitions: 1, configs }), refused('INVALID_CONFIG'))
      await assert.rejects(log.deleteTopic(fresh('no')), refused('UNKNOWN_TOPIC_OR_PARTITION'))
      assert.equal(log.topic(fresh('no')), null)
      assert.throws(() => log.offsets(name, p1), refused('UNKNOWN_TOPIC_OR_PARTITION'))
      const good = batchOf('value')
      await assert.rejects(log.append(fresh('no'), p0, good), refused('UNKNOWN_TOPIC_OR_PARTITION'))
      await assert.rejects(log.append(name, p1, good), refused('UNKNOWN_TOPIC_OR_PARTITION'))
      await assert.rejects(log.append(name, p0, batchOf('x'.repeat(400))), refused('MESSAGE_TOO_LARGE'))
      const flipped = good.slice()
      flipped[70]! ^= 1
      await assert.rejects(log.append(name, p0, flipped), refused('CORRUPT_MESSAGE'))
      assert.equal((await log.append(name, p0, good)).baseOffset, 0, 'nothing of the refused ones was kept')
      await assert.rejects(log.read(name, p0, offset(7), 100), refused('OFFSET_OUT_OF_RANGE'))
      assert.throws(
        () => log.follow({ job: 'j', topics: [], from: 'of another log' as Cursor }),
        refused('OFFSET_OUT_OF_RANGE'),
      )
      await assert.rejects(log.takeJob(''), refused('INVALID_RECORD'))
      await assert.rejects(log.tick('x'.repeat(250), new Uint8Array(0)), refused('INVALID_RECORD'))
      return opened
    },
  )

  const filled = async (log: Log, job: string): Promise<{ a: string; b: string; c: string }> => {
    const [a, b, c] = [fresh('a'), fresh('b'), fresh('c')]
    for (const name of [a, b, c]) await log.createTopic({ name, partitions: 2 })
    await log.append(a, p0, batchOf('1'))
    await log.append(b, p1, batchOf('2', '3'))
    await log.tick(job, bytesOf('t1'))
    await log.tick(`${job} other`, bytesOf('no'))
    await log.append(c, p0, batchOf('hidden'))
    await log.append(a, p1, batchOf('4'))
    await log.append(a, p0, batchOf('5', '6', '7'))
    return { a, b, c }
  }
  const entries = ['a-0@0 1', 'b-1@0 2,3', 'tick t1', 'a-1@0 4', 'a-0@1 5,6,7']

  on(
    'a follower gets the batches of its topics and the ticks of its job, each once; from any cursor the rest',
    async (place, opened) => {
      const job = fresh('mine')
      const { a, b } = await filled(opened.log, job)
      for (const life of [1, 2]) {
        const { log } = opened
        const follow = (from = log.origin()): Follower => log.follow({ job, topics: [a, b], from })
        const all = await drained(follow())
        assert.deepEqual(inOrder(all.map(textOf), place.hasOneOrder), inOrder(entries, place.hasOneOrder))
        assert.ok(all.every((entry, i) => i === 0 || entry.lsn > all[i - 1]!.lsn))
        const ofA0 = all.filter((entry) => entry.kind === 'batch' && entry.topic === a && entry.partition === 0)
        assert.deepEqual(ofA0.map(textOf), ['a-0@0 1', 'a-0@1 5,6,7'], 'in the order of the partition')
        for (const [i, entry] of all.entries()) {
          const rest = follow(JSON.parse(JSON.stringify(entry.after)) as Cursor)
          assert.equal(rest.cursor(), entry.after)
          assert.deepEqual(
            (await drainedText(rest)).toSorted(),
            all
              .slice(i + 1)
              .map(textOf)
              .toSorted(),
          )
          assert.equal(rest.cursor(), all.at(-1)!.after, 'the same place, whichever way it was reached')
          assert.ok(rest.caughtUp())
          rest.close()
        }
        if (life === 2) return opened
        await opened.close()
        opened = await place.open()
      }
      return opened
    },
  )

  on('from now on comes what is appended from now on; ready waits for it, closing ends the wait', async (_, opened) => {
    const { log } = opened
    const job = fresh('now')
    const { a, c } = await filled(log, job)
    const follower = log.follow({ job, topics: [a], from: log.now() })
    // What the job's clock decided before may come again on a log that does not order it among the records.
    const before = await drainedText(follower)
    assert.ok(before.every((text) => text === 'tick t1'))
    assert.equal(follower.caughtUp(), true)
    let woken = 0
    const waiting = follower.ready().then(() => woken++)
    await log.append(c, p0, batchOf('not followed'))
    await log.tick(`${job} other`, bytesOf('nor this'))
    await new Promise((resolve) => setTimeout(resolve, 50))
    assert.equal(woken, 0)
    await log.append(a, p0, batchOf('mine'))
    assert.equal(follower.caughtUp(), false)
    await waiting
    assert.deepEqual((await drained(follower, 1)).map(textOf), ['a-0@4 mine'])
    assert.deepEqual(follower.poll(100), [])
    const last = follower.ready()
    follower.close()
    await last
    assert.deepEqual(follower.poll(100), [])
    return opened
  })

  on(
    'records of a deleted topic are hidden; one made again under its name, or later, is followed from its start',
    async (_, opened) => {
      const { log } = opened
      const job = fresh('mine')
      const { a } = await filled(log, job)
      const later = fresh('later')
      await log.deleteTopic(a)
      assert.equal(log.topic(a), null)
      await log.createTopic({ name: a, partitions: 1 })
      await log.append(a, p0, batchOf('new'))
      const follower = log.follow({ job, topics: [a, later], from: log.origin() })
      assert.deepEqual((await drainedText(follower)).toSorted(), ['a-0@0 new', 'tick t1'])
      await log.createTopic({ name: later, partitions: 1 })
      await log.append(later, p0, batchOf('x'))
      assert.deepEqual(await drainedText(follower, 1), ['later-0@0 x'])
      return opened
    },
  )

  on(
    'a commit is whole: its outputs and its place are there together, one after the other in a partition',
    async (place, opened) => {
      const job = fresh('job')
      const { a, b, c } = await filled(opened.log, job)
      const { epoch, cursor } = await opened.log.takeJob(job)
      assert.deepEqual({ epoch, cursor }, { epoch: 1, cursor: opened.log.origin() })
      const next = (await drained(opened.log.follow({ job, topics: [a], from: cursor }))).at(-1)!.after
      const made = await opened.log.commit({
        job,
        epoch,
        previous: cursor,
        cursor: next,
        appends: [
          { topic: c, partition: p0, batch: batchOf('r1', 'r2') },
          { topic: c, partition: p0, batch: batchOf('r3') },
          { topic: b, partition: p0, batch: batchOf('r4') },
        ],
      })
      assert.deepEqual(made.baseOffsets, [1, 3, 0])
      const second = await opened.log.commit({ job, epoch, previous: next, cursor: next, appends: [] })
      assert.ok(second.lsn > made.lsn)
      await opened.close()
      opened = await place.open()
      assert.deepEqual(await committedValues(opened.log, c), ['hidden', 'r1', 'r2', 'r3'])
      assert.deepEqual(await committedValues(opened.log, b), ['r4'])
      assert.deepEqual(await opened.log.takeJob(job), { epoch: 2, cursor: next })
      return opened
    },
  )

  on(
    'a commit of another owner, on another place than the last, or backwards is fenced, and leaves nothing',
    async (_, opened) => {
      const { log } = opened
      const job = fresh('job')
      const { a, b, c } = await filled(log, job)
      const { epoch, cursor } = await log.takeJob(job)
      const steps = (await drained(log.follow({ job, topics: [a, b], from: cursor }))).map(({ after }) => after)
      const [one, two, three, four] = steps as [Cursor, Cursor, Cursor, Cursor, ...Cursor[]]
      const commit = (of: number, previous: Cursor, to: Cursor, topic = c) =>
        log.commit({ job, epoch: of, previous, cursor: to, appends: [{ topic, partition: p1, batch: batchOf('out') }] })
      await assert.rejects(commit(0, cursor, one), FencedError, 'nobody owns epoch 0')
      await commit(epoch, cursor, two)
      await assert.rejects(commit(epoch, cursor, three), FencedError)
      await assert.rejects(commit(epoch, two, one), FencedError)
      await assert.rejects(commit(epoch, two, three, fresh('nope')), refused('UNKNOWN_TOPIC_OR_PARTITION'))
      // Two in a row, the second on top of the first before that is durable; then one that comes too late.
      const results = await Promise.allSettled([
        commit(epoch, two, three),
        commit(epoch, three, four),
        log.takeJob(job),
        commit(epoch, four, steps[4]!),
      ])
      assert.deepEqual(
        results.map(({ status }) => status),
        ['fulfilled', 'fulfilled', 'fulfilled', 'rejected'],
      )
      assert.deepEqual(results[2]!.status === 'fulfilled' && results[2]!.value, { epoch: 2, cursor: four })
      await commit(2, four, steps[4]!)
      assert.deepEqual(await committedValues(log, c, p1), ['out', 'out', 'out', 'out'])
      return opened
    },
  )

  on(
    'an owner in another process is fenced by who takes the job over, and its commit leaves nothing',
    async (place, opened) => {
      if (place.beside === null) return opened
      const { log } = opened
      const job = fresh('job')
      const { a, c } = await filled(log, job)
      const first = await log.takeJob(job)
      const { after } = (await drained(log.follow({ job, topics: [a], from: first.cursor })))[0]!
      const other = await place.beside()
      try {
        const appends: Commit['appends'] = [{ topic: c, partition: p1, batch: batchOf('zombie') }]
        const second = await other.log.takeJob(job)
        assert.equal(second.epoch, first.epoch + 1)
        await assert.rejects(
          log.commit({ job, epoch: first.epoch, previous: first.cursor, cursor: after, appends }),
          FencedError,
        )
        await assert.rejects(
          log.commit({ job, epoch: first.epoch, previous: first.cursor, cursor: after, appends }),
          FencedError,
        )
        await other.log.commit({
          job,
          epoch: second.epoch,
          previous: second.cursor,
          cursor: after,
          appends: [{ topic: c, partition: p1, batch: batchOf('owner') }],
        })
        assert.deepEqual(await committedValues(other.log, c, p1), ['owner'])
      } finally {
        await other.close()
      }
      return opened
    },
  )

  on(
    'what was committed is followed again in the very same order, entry by entry, from every commit',
    async (place, opened) => {
      const random = randomStream(`${name} order`)
      const job = fresh('order')
      const topics = [fresh('a'), fresh('b')]
      for (const topic of topics) await opened.log.createTopic({ name: topic, partitions: 3 })
      const state = await opened.log.takeJob(job)
      const follower = opened.log.follow({ job, topics, from: state.cursor })
      const seen: { readonly text: string; readonly after: Cursor }[] = []
      const commits: Cursor[] = [state.cursor]
      let appended = 0
      for (let round = 0; round < 12; round++) {
        const under: Promise<unknown>[] = []
        for (let i = random.below(12); i >= 0; i--) {
          const partition = partitionId(random.below(3))
          if (random.below(6) === 0) under.push(opened.log.tick(job, bytesOf(`at ${appended++}`)))
          else under.push(opened.log.append(topics[random.below(2)]!, partition, batchOf(`v${appended++}`)))
        }
        await Promise.all(under)
        for (const entry of await drained(follower, random.below(under.length + 1))) {
          seen.push({ text: textOf(entry), after: entry.after })
        }
        const cursor = seen.at(-1)?.after ?? state.cursor
        await opened.log.commit({ job, epoch: state.epoch, previous: commits.at(-1)!, cursor, appends: [] })
        commits.push(cursor)
      }
      await opened.close()
      opened = await place.open()
      assert.equal((await opened.log.takeJob(job)).cursor, commits.at(-1))
      for (const from of new Set(commits)) {
        const again = opened.log.follow({ job, topics, from })
        const rest = seen.slice(seen.findIndex(({ after }) => after === from) + 1)
        const got = await drained(again, rest.length)
        assert.deepEqual(
          got.map((entry) => ({ text: textOf(entry), after: entry.after })),
          rest,
        )
        again.close()
      }
      const all = await drained(opened.log.follow({ job, topics, from: opened.log.origin() }))
      assert.equal(all.length, appended, 'and then what was not committed')
      return opened
    },
  )

  on(
    'a large log is read whole by a follower that polls little, in batches that follow each other',
    async (_, opened) => {
      const { log } = opened
      const topic = fresh('large')
      await log.createTopic({ name: topic, partitions: 2 })
      const value = 'x'.repeat(40_000)
      for (let i = 0; i < 15; i++) {
        await Promise.all([0, 1, 0, 1].map((p) => log.append(topic, partitionId(p), batchOf(value, value))))
      }
      const follower = log.follow({ job: fresh('reader'), topics: [topic], from: log.origin() })
      const next = [0, 0]
      for (const entry of await drained(follower)) {
        assert.ok(entry.kind === 'batch' && entry.baseOffset === next[entry.partition])
        assert.equal(lastOffset(entry.bytes), entry.lastOffset)
        next[entry.partition] = entry.lastOffset + 1
      }
      assert.deepEqual(next, [60, 60])
      return opened
    },
  )
}
