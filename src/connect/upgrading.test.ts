// Plans that change while a job runs: what was there goes on, what is new comes from the log, and reactions keep or win
// their state. The kills at every moment are in tests/flows/upgrade-*.flow.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { simulate } from '../../sim/world.ts'
import { readTopic } from '../../tests/flows/outcome.ts'
import { parcels } from '../../tests/flows/plans.ts'
import { type Broker, openBroker } from '../broker/broker.ts'
import type { Commit, Log } from '../log/log.ts'
import type { Plan } from '../query/plan.ts'
import { count, from, minutes, sum, tumbling } from '../query/query.ts'
import type { Reaction } from '../query/reaction.ts'
import { partitionId } from '../std/units.ts'
import { BatchWriter } from '../wire/batch-writer.ts'
import type { World } from '../world/world.ts'
import { type LogJob, type LogJobSettings, startLogJob } from './connect.ts'
import { plansTopic } from './job-plans.ts'

const dayMs = Date.UTC(2026, 0, 1)
const windowed = (sizeMs: number) => from(parcels).window(tumbling({ sizeMs }))
const perMinute = windowed(minutes(1))
  .aggregate(() => ({ n: count() }))
  .named('per-minute')
const perFive = windowed(minutes(5))
  .aggregate((p) => ({ n: count(), postage: sum(p.postage) }))
  .named('per-five')
const widened = windowed(minutes(2))
  .aggregate(() => ({ n: count() }))
  .named('per-minute')

/** Counts the rows it sees of `per-minute`, and tells the count. */
const counter = (version: number): Reaction => ({
  name: 'counter',
  version,
  reads: ['per-minute'],
  writes: [{ topic: 'counted', partitions: 1, compacted: true }],
  initial: () => ({ rows: 0 }),
  step(state, input, emit) {
    if (input.kind !== 'row') return
    const counted = state as { rows: number }
    counted.rows++
    emit('counted', 'rows', { rows: counted.rows })
  },
})

async function inWorld(act: (world: World, broker: Broker) => Promise<void>): Promise<void> {
  const ended = await simulate({ seed: 'upgrading' }).run(async (world) => {
    const broker = await openBroker(world, { dataDir: '/data', durability: 'power', freeBytesMin: 0 })
    await act(world, broker)
    await broker.close()
  })
  assert.equal(ended.end, 'returned', ended.end === 'threw' ? (ended.error as Error).stack : ended.end)
}
function start(
  world: World,
  broker: Log & { readonly clusterId: string },
  plans: readonly Plan[],
  more: Partial<LogJobSettings> = {},
): Promise<LogJob> {
  return startLogJob(world, broker, {
    name: 'job',
    plans,
    inHouse: new Set(),
    snapshotFolder: '/data/snapshots',
    logIdentity: broker.clusterId,
    tickMs: 3_600_000,
    onOutput: () => {},
    ...more,
  })
}
async function append(broker: Broker, seconds: readonly number[], note = ''): Promise<void> {
  const writer = new BatchWriter()
  for (const second of seconds) {
    const atMs = dayMs + second * 1000
    const value = JSON.stringify({ to: 'rio', postage: 1, at: new Date(atMs).toISOString(), note })
    writer.append(null, new TextEncoder().encode(value), atMs)
  }
  await broker.append('parcels', partitionId(0), writer.finish())
}
/** The last row of each key: start of the window in minutes, and the count. */
async function table(broker: Broker, topic: string): Promise<Record<string, number>> {
  const rows = new Map<string, { readonly start: number; readonly n: number }>()
  for (const { key, value } of await readTopic(broker, topic)) {
    const start = (Date.parse((JSON.parse(key ?? '[]') as string[])[0] ?? '') - dayMs) / 60_000
    if (value === null) rows.delete(key ?? '')
    else rows.set(key ?? '', { start, n: (JSON.parse(new TextDecoder().decode(value)) as { n: number }).n })
  }
  return Object.fromEntries([...rows.values()].map(({ start, n }) => [String(start), n]))
}

test('results of unchanged plans go on while new ones are computed, and both are whole afterwards', () =>
  inWorld(async (world, broker) => {
    const first = await start(world, broker, [perMinute])
    // Enough of the log that the new plan is not there in a few steps.
    const note = 'x'.repeat(20_000)
    for (let i = 0; i < 400; i++)
      await append(
        broker,
        Array.from({ length: 10 }, (_, j) => i * 60 + j),
        note,
      )
    await first.settled()
    await first.stop()

    // Came while nothing ran.
    for (let i = 400; i < 410; i++) await append(broker, [i * 60], note)
    const commits: string[][] = []
    const watched = {
      ...broker,
      commit(commit: Commit) {
        commits.push(commit.appends.map(({ topic }) => topic))
        return broker.commit(commit)
      },
    }
    const second = await start(world, watched, [perMinute, perFive])
    assert.deepEqual(second.plans(), ['per-minute'])
    await second.upgraded()
    const switched = commits.findIndex((topics) => topics.includes(plansTopic))
    assert.deepEqual(commits[switched], ['per-five', plansTopic])
    const goneOn = commits.slice(0, switched).filter((topics) => topics.includes('per-minute')).length
    assert.ok(goneOn > 0, `rows of new windows came out before the switch: ${JSON.stringify(commits)}`)
    assert.deepEqual(second.plans(), ['per-minute', 'per-five'])
    await append(broker, [4000 * 60])
    await second.settled()
    const [minutesSeen, fives] = [await table(broker, 'per-minute'), await table(broker, 'per-five')]
    const sumOf = (rows: Record<string, number>): number => Object.values(rows).reduce((sum, n) => sum + n, 0)
    assert.equal(minutesSeen['399'], 10)
    assert.equal(sumOf(fives), sumOf(minutesSeen))
    await second.stop()
  }))

test('from a stated instant on the topic is the new plan, before it what the old one said', () =>
  inWorld(async (world, broker) => {
    const first = await start(world, broker, [perMinute])
    for (let minute = 0; minute < 8; minute++) await append(broker, [minute * 60])
    await first.settled()
    await first.stop()
    const second = await start(world, broker, [widened], { rebuildFromMs: dayMs + minutes(4) })
    await second.upgraded()
    await append(broker, [20 * 60])
    await second.settled()
    // Of the rows of single minutes only those before the instant are left.
    assert.deepEqual(await table(broker, 'per-minute'), { 0: 1, 1: 1, 2: 1, 3: 1, 4: 2, 6: 2 })
    await second.stop()
  }))

test('a reaction keeps its state where it and its plans are unchanged, and is computed anew where not', () =>
  inWorld(async (world, broker) => {
    const told = async (): Promise<number[]> =>
      (await readTopic(broker, 'counted')).map(
        ({ value }) => (JSON.parse(new TextDecoder().decode(value ?? new Uint8Array(0))) as { rows: number }).rows,
      )
    const first = await start(world, broker, [perMinute], { reactions: [counter(1)] })
    await append(broker, [0, 60, 120])
    await first.settled()
    await first.stop()
    assert.deepEqual(await told(), [1, 2])
    const second = await start(world, broker, [perMinute, perFive], { reactions: [counter(1)] })
    await second.upgraded()
    await append(broker, [180])
    await second.settled()
    await second.stop()
    assert.deepEqual(await told(), [1, 2, 3], 'kept')
    const third = await start(world, broker, [perMinute, perFive], { reactions: [counter(2)] })
    await third.upgraded()
    assert.deepEqual(await told(), [1, 2, 3], 'what is over is not told again')
    await append(broker, [240])
    await third.settled()
    await third.stop()
    assert.deepEqual(await told(), [1, 2, 3, 4], 'computed from the log')
    assert.deepEqual(await table(broker, 'per-minute'), { 0: 1, 1: 1, 2: 1, 3: 1 })
  }))

test('a plan that was left out and comes back is computed anew; equal rows are not told again', () =>
  inWorld(async (world, broker) => {
    const first = await start(world, broker, [perMinute, perFive])
    await append(broker, [0, 60, 360])
    await first.settled()
    await first.stop()
    const second = await start(world, broker, [perMinute])
    await second.upgraded()
    await append(broker, [420, 700])
    await second.settled()
    await second.stop()
    assert.deepEqual(await table(broker, 'per-five'), { 0: 2 })
    const third = await start(world, broker, [perMinute, perFive])
    await third.upgraded()
    await third.stop()
    assert.deepEqual(await table(broker, 'per-five'), { 0: 2, 5: 2 })
    assert.equal((await readTopic(broker, 'per-five')).length, 2)
  }))
