// The engine over the embedded broker, killed with SIGKILL again and again during sliding windows, joins, tops and
// corrections: what was acknowledged is there once, and every result topic's final table equals a naive recomputation.
//
//   MILLRACE_KILLS=1000 npm test -- tests/crash/engine-kill.test.ts
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { openBroker } from '../../src/broker/broker.ts'
import { randomStream } from '../../src/std/random.ts'
import { nodeWorld } from '../../src/world/node.ts'
import { type ReadRecord, readTopic } from '../flows/outcome.ts'
import {
  expectedRows,
  expectedTables,
  partitions,
  plans,
  type Refund,
  refundAt,
  type Sale,
  saleAt,
  textAt,
  topics,
} from './engine-work.ts'

const kills = Number(process.env.MILLRACE_KILLS ?? 50)
const seed = process.env.MILLRACE_SEED ?? String(Date.now())
const child = fileURLToPath(new URL('engine-child.ts', import.meta.url))
const decoder = new TextDecoder()

interface Life {
  /** By topic/partition: how many records were acknowledged. */
  readonly acknowledged: ReadonlyMap<string, number>
  readonly code: number | null
  readonly complaints: string
}

/** When a life ends: so long after its start, or after its first acknowledged records; null: by itself. */
type Death = { readonly from: 'start' | 'work'; readonly afterMs: number } | null

function live(dataDir: string, finish: boolean, shards: number, death: Death): Promise<Life> {
  const running = spawn(process.execPath, [child, dataDir, seed, finish ? 'finish' : 'go', `${shards}`], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let [said, complaints] = ['', '']
  let timer: NodeJS.Timeout | null = null
  const die = (): void => {
    if (death !== null) timer ??= setTimeout(() => running.kill('SIGKILL'), death.afterMs)
  }
  if (death?.from === 'start') die()
  running.stdout.on('data', (bytes: Buffer) => {
    said += bytes.toString()
    die()
  })
  running.stderr.on('data', (bytes: Buffer) => {
    complaints += bytes.toString()
  })
  return new Promise((resolve) => {
    running.on('close', (code) => {
      if (timer !== null) clearTimeout(timer)
      const acknowledged = new Map<string, number>()
      // The last line may be cut off.
      for (const line of said.split('\n').slice(0, -1)) {
        const [place = '', end] = line.split(' ')
        acknowledged.set(place, Number(end))
      }
      resolve({ acknowledged, code, complaints })
    })
  })
}

test(`${kills} kills during windows, joins and corrections change no result`, {
  timeout: 60_000 + kills * 8000,
}, async (t) => {
  const again = `MILLRACE_SEED=${seed} MILLRACE_KILLS=${kills} npm test -- tests/crash/engine-kill.test.ts`
  t.diagnostic(`seed ${seed}; replay: ${again}`)
  const random = randomStream(`engine-kill/${seed}`)
  const dataDir = mkdtempSync(join(tmpdir(), 'millrace-engine-kill-'))
  const acknowledged = new Map<string, number>()
  let snapshots = 0
  try {
    for (let kill = 0; kill < kills; kill++) {
      // One in five dies while it is still starting or replaying.
      const early = random.below(5) === 0
      // Some lives read with worker threads: how many may change at any restart.
      const shards = random.below(3) === 0 ? 2 : 0
      const life = await live(dataDir, false, shards, {
        from: early ? 'start' : 'work',
        afterMs: early ? 150 + random.below(600) : random.below(300),
      })
      assert.equal(life.complaints, '', `life ${kill}; ${again}`)
      for (const [place, end] of life.acknowledged) acknowledged.set(place, end)
      if (readdirSync(dataDir).includes('snapshots') && readdirSync(join(dataDir, 'snapshots')).length > 0) snapshots++
    }
    const last = await live(dataDir, true, 0, null)
    assert.deepEqual([last.code, last.complaints], [0, ''], again)

    const broker = await openBroker(nodeWorld(), { dataDir, durability: 'process', freeBytesMin: 0 })
    try {
      const sent: Sale[] = []
      const given: Refund[] = []
      for (const topic of topics) {
        const records = await readTopic(broker, topic)
        for (let partition = 0; partition < partitions; partition++) {
          const values = records
            .filter((record) => record.partition === partition)
            .map(({ value }) => decoder.decode(value ?? new Uint8Array(0)))
          const places = values.slice(0, -1).map((_, offset) => offset)
          const made = places.map((offset) => textAt(topic, seed, partition, offset))
          assert.deepEqual(values.slice(0, -1), made, `records of ${topic}/${partition}; ${again}`)
          const wanted = acknowledged.get(`${topic}/${partition}`) ?? 0
          assert.ok(made.length >= wanted, `${topic}/${partition}: acknowledged but lost; ${again}`)
          if (topic === 'sales') sent.push(...places.map((offset) => saleAt(seed, partition, offset)))
          else given.push(...places.map((offset) => refundAt(seed, partition, offset)))
        }
        assert.deepEqual(await readTopic(broker, `${topic}.late`), [], 'nothing was too late')
      }
      assert.ok(sent.length > kills * 10, `${sent.length} records mean little`)
      assert.ok(kills < 20 || snapshots > kills / 4, `snapshots after ${snapshots} of ${kills} lives`)
      const expected = expectedTables(sent)
      const counts: string[] = []
      const joined = expectedRows(sent, given)
      for (const plan of plans) {
        const records = await readTopic(broker, plan.name)
        const rows = joined.get(plan.name)
        if (rows !== undefined) {
          assert.deepEqual(appendedRows(records), rows, `${plan.name}; ${again}`)
          counts.push(`${plan.name} ${rows.length} rows`)
          continue
        }
        checkHistory(plan.name, records, again)
        const table = expected.get(plan.name)!
        const found = finalTable(records)
        assert.deepEqual(new Map([...found].sort()), new Map([...table].sort()), `${plan.name}; ${again}`)
        const late = records.filter(({ value }) => value !== null && decoder.decode(value).includes('"timing":"late"'))
        assert.ok(late.length > 0, `${plan.name} corrected nothing`)
        counts.push(`${plan.name} ${table.size} rows, ${late.length} corrections`)
      }
      t.diagnostic(`${sent.length} records; ${counts.join('; ')}; snapshots after ${snapshots} lives`)
    } finally {
      await broker.close()
    }
  } finally {
    rmSync(dataDir, { recursive: true, force: true })
  }
})

/** Rows of a plan that joins, as text, sorted. */
function appendedRows(records: readonly ReadRecord[]): string[] {
  const rows = records.map(({ value }) => decoder.decode(value ?? new Uint8Array(0)))
  const plain = rows.map((row) => JSON.stringify({ ...(JSON.parse(row) as object), timing: undefined }))
  return plain.filter((row) => !row.includes('"seller":"nobody"')).sort()
}

/** The last row of each key that was not taken back, without what the last sales opened. */
function finalTable(records: readonly ReadRecord[]): Map<string, object> {
  const table = new Map<string, object>()
  for (const { key, value } of records) {
    if (value === null) table.delete(key ?? '')
    else table.set(key ?? '', JSON.parse(decoder.decode(value)) as object)
  }
  for (const [key, row] of table) {
    const { window_start, window_end, seller, product, timing, ...values } = row as Record<string, unknown>
    if (seller === 'nobody' || product === 'nothing') table.delete(key)
    else table.set(key, values)
    assert.equal(key, JSON.stringify([window_start, window_end, seller ?? product]), `the key of ${timing}`)
  }
  return table
}

/** Per key: early rows, then at most one row on time, then corrections; and anew where the row was taken back. */
function checkHistory(plan: string, records: readonly ReadRecord[], again: string): void {
  const histories = new Map<string, string>()
  for (const { key, value } of records) {
    const timing = value === null ? 'taken-back' : /"timing":"([a-z-]+)"/.exec(decoder.decode(value))?.[1]
    histories.set(key ?? '', `${histories.get(key ?? '') ?? ''}${timing} `)
  }
  for (const [key, history] of histories)
    assert.match(
      history,
      /^((early )*(on-time )?(late )*taken-back )*(early )*(on-time )?(late )*$/,
      `${plan} ${key}: a commit was doubled; ${again}`,
    )
}
