// The lake killed with SIGKILL again and again while it writes and compacts: each offset is in bronze exactly once with its
// bytes, silver is what a naive pass over the log makes, manifest and files agree.
//
//   MILLRACE_KILLS=60 npm test -- tests/crash/lake-kill.test.ts
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { randomStream } from '../../src/std/random.ts'
import { openLake, verify } from '../../src/stores/stores.ts'
import { nodeWorld } from '../../src/world/node.ts'
import { recordAt, recordsOfPartition, topicOfTest } from './lake-work.ts'

const kills = Number(process.env.MILLRACE_KILLS ?? 8)
const seed = process.env.MILLRACE_SEED ?? String(Date.now())
const child = fileURLToPath(new URL('lake-child.ts', import.meta.url))
const dataDir = mkdtempSync(join(tmpdir(), 'millrace-lake-'))
after(() => rmSync(dataDir, { recursive: true, force: true }))

interface Life {
  readonly code: number | null
  /** It found a batch that the life before had begun. */
  readonly unfinished: boolean
  readonly complaints: string
}
/** `afterMs` from the first flush on; null: until it is done. */
function live(afterMs: number | null): Promise<Life> {
  const running = spawn(process.execPath, [child, dataDir, afterMs === null ? 'finish' : 'go'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let [said, complaints] = ['', '']
  let timer: NodeJS.Timeout | null = null
  running.stdout.on('data', (bytes: Buffer) => {
    said += bytes.toString()
    if (afterMs !== null) timer ??= setTimeout(() => running.kill('SIGKILL'), afterMs)
  })
  running.stderr.on('data', (bytes: Buffer) => {
    complaints += bytes.toString()
  })
  return new Promise((resolve) => {
    running.on('close', (code) => {
      if (timer !== null) clearTimeout(timer)
      resolve({ code, unfinished: said.includes('unfinished 1'), complaints })
    })
  })
}

test(`after ${kills} kills each record is in the lake exactly once (seed ${seed})`, async () => {
  const random = randomStream(seed).fork('lake')
  let interrupted = 0
  for (let kill = 0; kill < kills; kill++) {
    // Most while files are made, some right at the start, when what was left is put in order.
    const life = await live(random.float() < 0.25 ? random.below(40) : 200 + random.below(1_500))
    assert.equal(life.complaints, '', `life ${kill} of seed ${seed}`)
    if (life.unfinished) interrupted++
  }
  const last = await live(null)
  assert.equal(last.code, 0, last.complaints)
  if (last.unfinished) interrupted++
  // Fewer kills may all have missed.
  if (kills >= 20) assert.ok(interrupted > 0, `no kill fell into a batch (seed ${seed})`)

  const lake = openLake(nodeWorld(), {
    folder: join(dataDir, 'lake'),
    duckdb: { memoryBytesMax: 256 << 20, spillBytesMax: 0, idleMsMax: 1_000 },
    readOnly: true,
  })
  try {
    assert.deepEqual(await verify(lake, existsSync), [])
    const limits = { timeMsMax: 60_000, rowsMax: 1_000_000 }
    const bronze = await lake.duckdb.run(
      [
        `SELECT _partition, _offset, epoch_ms(_arrival), _key, _value FROM ${lake.rowsOf(lake.files('bronze', topicOfTest.name))} ORDER BY 1, 2`,
      ],
      limits,
    )
    const wanted = new Map<string, string>()
    const decoder = new TextDecoder()
    let row = 0
    for (let partition = 0; partition < topicOfTest.partitions; partition++)
      for (let at = 0; at < recordsOfPartition; at++) {
        const { key, value, arrivalMs, identity, day } = recordAt(partition, at)
        const text = (bytes: Uint8Array | null): string | null => (bytes === null ? null : decoder.decode(bytes))
        assert.deepEqual(
          bronze.rows[row++],
          [partition, String(at), String(arrivalMs), text(key), text(value)],
          `seed ${seed}`,
        )
        // A copy lies on the day of the first one, or what came before it is not looked at.
        if (identity !== null && !wanted.has(identity)) wanted.set(identity, day)
      }
    assert.equal(bronze.rows.length, row, `seed ${seed}`)
    const silver = await lake.duckdb.run(
      [
        `SELECT id_sale, strftime(sale_date, '%Y-%m-%d') FROM ${lake.rowsOf(lake.files('silver', topicOfTest.name))} ORDER BY 1`,
      ],
      limits,
    )
    assert.equal(silver.rows.length, wanted.size, `seed ${seed}`)
    for (const [id] of silver.rows)
      assert.ok(wanted.delete(String(id)), `${String(id)} is in silver twice (seed ${seed})`)
    assert.equal(
      lake
        .manifest()
        .files.filter(({ layer }) => layer === 'bronze')
        .reduce((sum, { rows }) => sum + rows, 0),
      topicOfTest.partitions * recordsOfPartition,
    )
  } finally {
    await lake.close()
  }
})
