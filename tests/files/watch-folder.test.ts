// A watched folder: each line of its files is in the log once, whatever happens to the files and between restarts.
import assert from 'node:assert/strict'
import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  renameSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { type Broker, openBroker } from '../../src/broker/broker.ts'
import { contracts } from '../../src/commerce/commerce.ts'
import { type WatchSettings, watchFolder } from '../../src/connect/watch-folder.ts'
import { FencedError } from '../../src/log/log.ts'
import { nodeWorld } from '../../src/world/node.ts'
import { recordsIn, temporaryFolder } from './watching.suite.ts'

const world = nodeWorld()
const line = (n: number): string => `{"n":${n}}`
const lines = (from: number, to: number): string =>
  Array.from({ length: to - from }, (_, i) => `${line(from + i)}\n`).join('')

interface Stage {
  readonly folder: string
  readonly broker: Broker
  /** Watches until all that is there is in the log; then stops. */
  take(settings?: Partial<WatchSettings>): Promise<void>
  /** The numbers in the log, each as often as it is there. */
  numbers(): Promise<number[]>
  path(name: string): string
}
async function onStage(body: (stage: Stage) => Promise<void>): Promise<void> {
  const { path: folder, remove } = temporaryFolder()
  const broker = await openBroker(world, { dataDir: null, durability: 'process' })
  try {
    await body({
      folder,
      broker,
      async take(settings) {
        const watch = await watchFolder(world, broker, {
          folder,
          topic: 'lines',
          contract: null,
          partitions: 3,
          lookEveryMs: 5,
          quietMs: 0,
          ...settings,
        })
        await watch.settled()
        await watch.stop()
        assert.equal(watch.trouble(), null)
      },
      async numbers() {
        const found = await recordsIn(broker, 'lines')
        return found.map(({ value }) => Number(JSON.parse(value).n)).sort((a, b) => a - b)
      },
      path: (name) => join(folder, name),
    })
  } finally {
    await broker.close()
    remove()
  }
}
const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i)

test('two files at once, growing between restarts: each line once; other names are left alone', () =>
  onStage(async ({ take, numbers, path }) => {
    writeFileSync(path('a.ndjson'), lines(0, 10))
    writeFileSync(path('b.jsonl'), `\ufeff${line(100)}\r\n\r\n   \n${line(101)}\r\n`)
    writeFileSync(path('c.txt'), lines(900, 901))
    mkdirSync(path('d.ndjson'))
    await take()
    assert.deepEqual(await numbers(), [...range(0, 10), 100, 101])
    await take()
    appendFileSync(path('a.ndjson'), lines(10, 15))
    writeFileSync(path('e.ndjson'), lines(200, 203))
    await take()
    assert.deepEqual(await numbers(), [...range(0, 15), 100, 101, 200, 201, 202])
  }))

test('a last line without an end waits for it; a whole object is taken when its file is quiet, once', () =>
  onStage(async ({ take, numbers, path }) => {
    writeFileSync(path('a.ndjson'), `${line(1)}\n{"n":`)
    await take()
    assert.deepEqual(await numbers(), [1])
    appendFileSync(path('a.ndjson'), '2}\n')
    await take()
    assert.deepEqual(await numbers(), [1, 2])
    appendFileSync(path('a.ndjson'), line(3))
    await take({ quietMs: 100 })
    assert.deepEqual(await numbers(), [1, 2, 3])
    appendFileSync(path('a.ndjson'), `\n${line(4)}\nbad\n`)
    await take()
    assert.deepEqual(await numbers(), [1, 2, 3, 4])
  }))

test('moved, rotated and packed files go on where they were; what takes their name is new; removed ones are let go', () =>
  onStage(async ({ take, numbers, path, broker }) => {
    writeFileSync(path('app.ndjson'), lines(0, 2000))
    await take()
    appendFileSync(path('app.ndjson'), lines(2000, 2010))
    renameSync(path('app.ndjson'), path('app.ndjson.1'))
    writeFileSync(path('app.ndjson'), lines(3000, 3005))
    await take()
    assert.deepEqual(await numbers(), [...range(0, 2010), ...range(3000, 3005)])
    // Rotated once more: the older one is packed, with a last line that came just before.
    writeFileSync(path('app.ndjson.2.gz'), gzipSync(lines(0, 2011)))
    rmSync(path('app.ndjson.1'))
    renameSync(path('app.ndjson'), path('app.ndjson.1'))
    writeFileSync(path('app.ndjson'), '')
    await take()
    assert.deepEqual(await numbers(), [...range(0, 2011), ...range(3000, 3005)])
    rmSync(path('app.ndjson.1'))
    await take({ forgetAfterMs: -1 })
    const progress = await recordsIn(broker, 'millrace.files')
    assert.ok(progress.length > 3)
    // Forgotten: under the same content it is another file now.
    writeFileSync(path('again.ndjson'), lines(3000, 3005))
    await take()
    assert.equal((await numbers()).filter((n) => n === 3000).length, 2)
  }))

test('a copy is another file; one that is truncated, or written anew in its place, too', () =>
  onStage(async ({ take, numbers, path }) => {
    writeFileSync(path('a.ndjson'), lines(0, 3))
    await take()
    copyFileSync(path('a.ndjson'), path('b.ndjson'))
    await take()
    assert.deepEqual(await numbers(), [0, 0, 1, 1, 2, 2])
    truncateSync(path('b.ndjson'))
    appendFileSync(path('b.ndjson'), lines(5, 6))
    writeFileSync(path('a.ndjson'), lines(7, 12))
    await take()
    assert.deepEqual(await numbers(), [0, 0, 1, 1, 2, 2, 5, 7, 8, 9, 10, 11])
  }))

test('packed files: several members, one that is not complete yet, one that is no gzip', () =>
  onStage(async ({ folder, broker, numbers, path }) => {
    const packed = gzipSync(lines(20, 30))
    writeFileSync(path('a.ndjson.gz'), Buffer.concat([gzipSync(lines(0, 10)), gzipSync(lines(10, 20).slice(0, -1))]))
    writeFileSync(path('b.ndjson.gz'), packed.subarray(0, -9))
    writeFileSync(path('c.ndjson.gz'), 'not packed at all')
    const settings = { folder, topic: 'lines', contract: null, partitions: 1, lookEveryMs: 5, quietMs: 0 }
    const watch = await watchFolder(world, broker, settings)
    await watch.settled()
    assert.match(watch.trouble()?.message ?? '', /[bc]\.ndjson\.gz: /)
    assert.deepEqual(await numbers(), range(0, 20))
    rmSync(path('c.ndjson.gz'))
    writeFileSync(path('b.ndjson.gz'), packed)
    while (watch.counts().records < 30) await watch.settled()
    assert.equal(watch.trouble(), null)
    assert.deepEqual(await numbers(), range(0, 30))
    assert.deepEqual(watch.counts(), { files: 2, records: 30, deadLetters: 0 })
    await watch.stop()
  }))

test('lines are held to the contract: what breaks it goes to the dead letters with its bytes, file and line', () =>
  onStage(async ({ take, path, broker }) => {
    const contract = contracts.get('sales') ?? null
    const good = `{"id_sale":"1","id_product":"mug","seller":"ana","price":19.90,"sale_date":"${new Date().toISOString()}"}`
    const long = `"${'x'.repeat(1_000_000)}"`
    writeFileSync(path('s.ndjson'), `${good}\nnot json\n\n{"quantity":"many"}\n${long}\n`)
    await take({ contract, topic: 'sales' })
    const [taken, dead] = [await recordsIn(broker, 'sales'), await recordsIn(broker, 'sales.dlq')]
    const places = dead
      .map(({ headers }) => [headers['dlq.original.file'], Number(headers['dlq.original.line']), headers['dlq.reason']])
      .sort((a, b) => Number(a[1]) - Number(b[1]))
    assert.deepEqual(
      taken.map(({ key, value }) => [key, value]),
      [['ana', good]],
    )
    assert.deepEqual(places, [
      ['s.ndjson', 2, 'not-json'],
      ['s.ndjson', 4, 'missing'],
      ['s.ndjson', 5, 'too-long'],
    ])
    assert.ok(dead.some(({ value }) => value === 'not json'))
    assert.ok(dead.some(({ value }) => value === '{"quantity":"many"}'))
    assert.ok(dead.every(({ headers }) => headers['dlq.original.topic'] === 'sales' && headers['dlq.message'] !== ''))
  }))

test('a long line that is not finished is waited for without holding it; a file of one line of many megabytes', () =>
  onStage(async ({ take, path, broker, numbers }) => {
    writeFileSync(path('a.ndjson'), `${line(1)}\n"${'x'.repeat(5_000_000)}`)
    await take()
    assert.deepEqual(await numbers(), [1])
    assert.equal((await recordsIn(broker, 'lines.dlq')).length, 0)
    appendFileSync(path('a.ndjson'), `"\n${line(2)}\n`)
    await take()
    assert.deepEqual(await numbers(), [1, 2])
    const [dead] = await recordsIn(broker, 'lines.dlq')
    assert.match(dead?.headers['dlq.message'] ?? '', /5000002 bytes/)
    assert.equal(dead?.headers['dlq.original.line'], '2')
  }))

test('the same folder watched twice: the older one is fenced off and takes nothing more in', () =>
  onStage(async ({ folder, broker, take, numbers, path }) => {
    const settings = { folder, topic: 'lines', contract: null, partitions: 1, lookEveryMs: 5, quietMs: 0 }
    const older = await watchFolder(world, broker, settings)
    await older.settled()
    await take()
    writeFileSync(path('a.ndjson'), lines(0, 3))
    const reason = await older.failed
    assert.ok(reason instanceof FencedError)
    await assert.rejects(older.settled(), FencedError)
    await take()
    assert.deepEqual(await numbers(), [0, 1, 2])
    await older.stop()
  }))

test('files beyond the limit are left, and said so; a folder that is not there is refused', () =>
  onStage(async ({ folder, broker, path, numbers }) => {
    for (const n of [1, 2, 3]) writeFileSync(path(`${n}.ndjson`), lines(n, n + 1))
    utimesSync(path('1.ndjson'), 1, 1)
    const settings = { folder, topic: 'lines', contract: null, partitions: 1, lookEveryMs: 5, filesMax: 2 }
    const watch = await watchFolder(world, broker, settings)
    await watch.settled()
    assert.deepEqual(await numbers(), [1, 2])
    assert.match(watch.trouble()?.message ?? '', /more than 2 files/)
    await watch.stop()
    await assert.rejects(watchFolder(world, broker, { ...settings, folder: path('none') }), /ENOENT/)
  }))
