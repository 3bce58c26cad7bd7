// Seeded property: queries over several topics, with random records. The engine, a recomputation with plain arrays and the
// Plan's DuckDB SQL must give the same final tables. Failures shrink to fewer records before they are shown.
// Replay one: MILLRACE_SEED=n MILLRACE_SEEDS=1 node --test tests/flows/graph-property.test.ts
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { batchOf } from '../../src/engine/batches.suite.ts'
import { openJob } from '../../src/engine/engine.ts'
import { explain } from '../../src/query/query.ts'
import { type RandomStream, randomStream } from '../../src/std/random.ts'
import { duckdbSql, type LakeFiles } from '../../src/stores/stores.ts'
import { type DuckDb, openDuckDb } from './duckdb.ts'
import { duckRow, engineRow, type PlainRow, rowText, sameRows } from './duckdb-values.ts'
import { type Made, questionNames, questionOf, recordsOf, type Sent, textOf, topics } from './graph-questions.ts'

const SEEDS = Number(process.env.MILLRACE_SEEDS ?? 8)
const FIRST_SEED = Number(process.env.MILLRACE_SEED ?? 1)

const folder = mkdtempSync(join(tmpdir(), 'graph-property-'))
let duckdb: DuckDb
before(async () => {
  duckdb = await openDuckDb()
})
after(() => {
  duckdb.close()
  rmSync(folder, { recursive: true })
})

/** The final table of a bounded run, in random batches; partitions and topics come as they were sent. */
function engineRows({ plan }: Made, sent: readonly Sent[], random: RandomStream): PlainRow[] {
  const job = openJob([plan], { bounded: true })
  const { changelog } = plan.nodes.at(-1)!
  const rows = new Map<string, PlainRow>()
  let appended = 0
  const take = (): void => {
    for (const batch of job.take().results)
      for (let row = 0; row < batch.count; row++) {
        const found = engineRow(batch, row)
        const of = changelog.mode === 'upsert' ? changelog.key.map((name) => String(found[name])) : [appended++]
        const key = JSON.stringify(of)
        if (batch.weight[row] === -1) rows.delete(key)
        else rows.set(key, found)
      }
  }
  const offsets = new Map<string, number>()
  for (let at = 0; at < sent.length; ) {
    const { topic, partition } = sent[at]!
    let next = at + 1
    for (const end = at + 1 + random.below(20); next < end; next++)
      if (sent[next]?.topic !== topic || sent[next]?.partition !== partition) break
    const place = `${topic}/${partition}`
    const offset = offsets.get(place) ?? 0
    if (plan.contracts[topic] !== undefined)
      job.push(batchOf(topic, partition, offset, sent.slice(at, next).map(textOf)))
    offsets.set(place, offset + next - at)
    take()
    at = next
  }
  job.finish()
  take()
  return [...rows.values()]
}

async function duckdbRows({ plan }: Made, sent: readonly Sent[]): Promise<PlainRow[]> {
  const files = new Map<string, LakeFiles>()
  for (const { topic, partitions } of topics) {
    const written = Array.from({ length: partitions }, (_, partition) => {
      const file = join(folder, `${topic}-${partition}.ndjson`)
      const lines = sent.filter((one) => one.topic === topic && one.partition === partition)
      writeFileSync(file, lines.map((one) => `${textOf(one)}\n`).join(''))
      return file
    })
    files.set(topic, { format: 'ndjson', files: written })
  }
  return (await duckdb.rows(duckdbSql(plan, files))).map((row) => duckRow(plan, row))
}

/** Throws where one of the three differs. */
async function check(made: Made, sent: readonly Sent[], seed: string): Promise<number> {
  const naive = made.naive(sent)
  sameRows(made.plan, await duckdbRows(made, sent), naive, 'DuckDB, and plain arrays')
  sameRows(made.plan, engineRows(made, sent, randomStream(`${seed}/batches`)), naive, 'the engine, and plain arrays')
  return naive.length
}
const fails = async (made: Made, sent: readonly Sent[], seed: string): Promise<unknown> => {
  try {
    await check(made, sent, seed)
    return null
  } catch (error) {
    return error
  }
}

/** Leaves out halves, quarters … of the records, as long as it still fails. */
async function shrunk(made: Made, all: readonly Sent[], seed: string): Promise<readonly Sent[]> {
  let sent = all
  for (let size = Math.ceil(sent.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2))
    for (let at = 0; at < sent.length; ) {
      const fewer = [...sent.slice(0, at), ...sent.slice(at + size)]
      if ((await fails(made, fewer, seed)) !== null) sent = fewer
      else at += size
    }
  return sent
}

for (const name of questionNames)
  test(`${name}: engine, plain arrays and DuckDB agree`, async () => {
    let rows = 0
    for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
      const random = randomStream(`graph/${name}/${seed}`)
      const made = questionOf(name, random.fork('question'))
      const sent = recordsOf(random.fork('records'))
      if ((await fails(made, sent, `${seed}`)) === null) {
        rows += made.naive(sent).length
        continue
      }
      const few = await shrunk(made, sent, `${seed}`)
      const cause = await fails(made, few, `${seed}`)
      const lines = few.map((one) => `${one.topic}/${one.partition} ${textOf(one)}`).join('\n')
      const replay = `MILLRACE_SEED=${seed} MILLRACE_SEEDS=1 node --test --test-name-pattern='^${name}:' tests/flows/graph-property.test.ts`
      throw new Error(
        `replay: ${replay}\n${explain(made.plan)}\n${lines}\nmust give\n${made.naive(few).map(rowText).join('\n')}`,
        { cause },
      )
    }
    assert.ok(rows > SEEDS, `only ${rows} rows were compared`)
  })
