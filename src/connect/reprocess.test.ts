// Windows that late records are missing from: they are marked in the commit that has the late record, recomputed out of the
// log, and then equal a run over everything; told once.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { simulate } from '../../sim/world.ts'
import { readTopic } from '../../tests/flows/outcome.ts'
import { parcels } from '../../tests/flows/plans.ts'
import { type Broker, openBroker } from '../broker/broker.ts'
import { encodeKey, encodeRow } from '../engine/engine.ts'
import type { Plan } from '../query/plan.ts'
import { count, countDistinct, from, hopping, minutes, seconds, sum, tumbling } from '../query/query.ts'
import { restrictedTo } from '../query/reprocessing.ts'
import { partitionId } from '../std/units.ts'
import { BatchWriter } from '../wire/batch-writer.ts'
import type { World } from '../world/world.ts'
import { type LogJob, reprocess, runOverLog, startLogJob } from './connect.ts'
import { dirtyWindows } from './dirty-windows.ts'

const dayMs = Date.UTC(2026, 0, 1)
const plans: readonly Plan[] = [
  from(parcels)
    .window(tumbling({ sizeMs: minutes(1) }))
    .groupBy('to')
    .aggregate((p) => ({ n: count(), postage: sum(p.postage) }))
    .named('minutes-of-cities'),
  from(parcels)
    .window(hopping({ sizeMs: seconds(90), slideMs: seconds(30) }))
    .aggregate((p) => ({ n: count(), cities: countDistinct(p.to) }))
    .lateness(seconds(20))
    .named('sliding-cities'),
  from(parcels)
    .window(tumbling({ sizeMs: minutes(1) }))
    .groupBy('to')
    .aggregate(() => ({ n: count() }))
    .top({ rows: 1, by: [{ column: 'n', descending: true }] })
    .named('commonest'),
]

async function append(broker: Broker, records: readonly (readonly [second: number, to: string])[]): Promise<void> {
  const writer = new BatchWriter()
  for (const [second, to] of records) {
    const atMs = dayMs + second * 1000
    const value = JSON.stringify({ to, postage: 1, at: new Date(atMs).toISOString() })
    writer.append(null, new TextEncoder().encode(value), atMs)
  }
  await broker.append('parcels', partitionId(0), writer.finish())
}
/** Last row of each key, without the word that tells when it was due. */
async function table(broker: Broker, plan: Plan): Promise<string[]> {
  const rows = new Map<string, string>()
  for (const { key, value } of await readTopic(broker, plan.name))
    if (value === null) rows.delete(key ?? '')
    else rows.set(key ?? '', new TextDecoder().decode(value).replace(/,"timing":"[a-z-]+"}$/, '}'))
  return [...rows].map((row) => row.join(' ')).sort()
}
async function batchAnswer(world: World, broker: Broker, plan: Plan, beforeMs: number): Promise<string[]> {
  const { results } = await runOverLog(world, broker, plan, null)
  return results
    .flatMap((batch) =>
      Array.from({ length: batch.count }, (_, row) => `${encodeKey(batch, row)} ${encodeRow(batch, row)}`),
    )
    .filter((row) => Date.parse(/"window_end":"([^"]+)"/.exec(row)?.[1] ?? '') <= beforeMs)
    .sort()
}
const start = (world: World, broker: Broker): Promise<LogJob> =>
  startLogJob(world, broker, {
    name: 'job',
    plans,
    inHouse: new Set(),
    snapshotFolder: '/data/snapshots',
    logIdentity: broker.clusterId,
    tickMs: 3_600_000,
    onOutput: () => {},
  })

test('marked windows are recomputed out of the log, once, and equal the answer over everything', async () => {
  const ended = await simulate({ seed: 'reprocess' }).run(async (world) => {
    const broker = await openBroker(world, { dataDir: '/data', durability: 'power', freeBytesMin: 0 })
    const job = await start(world, broker)
    const inTime = [0, 10, 70, 80, 130, 200, 260, 330].map((second, i) => [second, i % 2 ? 'rio' : 'lima'] as const)
    for (const record of inTime) await append(broker, [record])
    // Too late for all, and one that only the patient plan still takes. In a window that had no row; one that turns a top.
    await append(broker, [
      [15, 'rio'],
      [20, 'rio'],
      [20, 'quito'],
      [215, 'rio'],
      [325, 'rio'],
    ])
    await job.settled()
    for (const plan of plans) {
      const { ranges } = await dirtyWindows(broker, plan.name)
      assert.ok(ranges.length > 0, `${plan.name} has marks`)
      const before = await table(broker, plan)
      const all = await batchAnswer(world, broker, plan, dayMs + 330_000)
      assert.notDeepEqual(before, all, 'late records are missing')
      const made = await reprocess(world, broker, plan)
      assert.ok(made.recomputed > 0 && made.rows > 0 && made.notInTheLog.length === 0, JSON.stringify(made))
      // What may still change by itself waits.
      const closedMs = dayMs + (plan.latenessMs === 0 ? 300_000 : 270_000)
      const closed = (rows: readonly string[]): string[] =>
        rows.filter((row) => Date.parse(/"window_end":"([^"]+)"/.exec(row)?.[1] ?? '') <= closedMs)
      assert.deepEqual(closed(await table(broker, plan)), closed(all), plan.name)
      const again = await reprocess(world, broker, plan)
      assert.equal(again.rows, 0, `${plan.name} told again: ${JSON.stringify(again)}`)
      if (made.waiting === 0) assert.deepEqual((await dirtyWindows(broker, plan.name)).ranges, [])
    }
    // A job that starts again is not disturbed by the corrections, and a new late record marks again.
    await job.stop()
    const next = await start(world, broker)
    await append(broker, [[16, 'rio']])
    await next.settled()
    for (const plan of plans) {
      assert.ok((await reprocess(world, broker, plan)).rows > 0)
      const closed = (rows: readonly string[]): string[] => rows.filter((row) => row.includes('00:00:00'))
      assert.deepEqual(
        closed(await table(broker, plan)),
        closed(await batchAnswer(world, broker, plan, dayMs + 330_000)),
      )
    }
    await next.stop()
    await broker.close()
  })
  assert.equal(ended.end, 'returned', ended.end === 'threw' ? (ended.error as Error).stack : ended.end)
})

test('a plan whose rows take all that ever came is not restricted', () => {
  const range = { fromMs: dayMs, toMs: dayMs + 60_000 }
  const ever = from(parcels)
    .groupBy('to')
    .aggregate(() => ({ n: count() }))
    .named('ever')
  assert.equal(restrictedTo(ever, range), null)
  const restricted = restrictedTo(plans[1]!, range)
  const filter = restricted?.nodes.find(({ kind }) => kind === 'filter')
  assert.match(JSON.stringify(filter), new RegExp(`${range.fromMs - 90_000}.*${range.toMs}`))
})
