// The kernel against JSON.parse: the same rows, refusals and ids for every record, mutated ones above all; then what the
// kernel's memory does at its limits.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { compileKernel } from '../../../tools/kernel.ts'
import { sales } from '../../commerce/commerce.ts'
import { salesTraffic } from '../../generate/generate.ts'
import { type Contract, contract, field } from '../../query/contract.ts'
import { count, countDistinct, from, hopping, sum } from '../../query/query.ts'
import { type RandomStream, randomStream } from '../../std/random.ts'
import { batchOf, plainRows } from '../batches.suite.ts'
import { type Batch, textAt } from '../columns.ts'
import type { Decoder, DecoderSettings, Projection, Refusal } from '../decoder.ts'
import { Dictionary } from '../dictionary.ts'
import type { SourceBatch } from '../engine.ts'
import { EngineJob } from '../job.ts'
import { rowDecoder } from '../row-decoder.ts'
import { contracts, producerOf, recordOf, tokens, UTF8_EDGES, wholeRecord } from './fuzz-records.suite.ts'
import { KERNEL_BATCH_BYTES_MAX, KERNEL_BATCH_RECORDS_MAX, KernelDecoder, openDecoder } from './kernel-decoder.ts'

const RECORDS = Number(process.env.MILLRACE_FUZZ_RECORDS ?? 100_000)
const SEED = process.env.MILLRACE_SEED ?? '1'

// Compiled from the sources, so that no stale build is tested.
const kernel = new WebAssembly.Module(await compileKernel(fileURLToPath(new URL('../../../', import.meta.url))))

interface Both {
  readonly fast: KernelDecoder
  readonly slow: Decoder
  readonly dictionaries: readonly (readonly [Dictionary<string>, Dictionary<string>])[]
}
function both(of: Contract, projections: readonly Projection[], futureLimit = false): Both {
  const ids = projections.filter(({ as }) => as === 'id').map(({ name }) => name)
  const made = () => Object.fromEntries(ids.map((name) => [name, new Dictionary<string>()]))
  const [a, b] = [made(), made()]
  const settings = (dictionaries: DecoderSettings['dictionaries']): DecoderSettings => ({
    contract: of,
    projections,
    dictionaries,
    futureLimit,
  })
  const fast = openDecoder(settings(a), kernel)
  assert.ok(fast instanceof KernelDecoder)
  return {
    fast,
    slow: rowDecoder(settings(b)),
    dictionaries: ids.map((name) => [a[name]!, b[name]!]),
  }
}

/** All a batch says, as plain values. */
function told(batch: Batch): object {
  const rows = Array.from({ length: batch.rows }, (_, row) => row)
  return {
    partition: batch.partition,
    records: rows.map((row) => batch.records[row]),
    offsets: rows.map((row) => batch.offsets[row]),
    times: rows.map((row) => batch.times[row]),
    columns: batch.columns.map((column) =>
      rows.map((row) =>
        column.kind === 'list' ? null : column.kind === 'text' ? textAt(column, row) : column.values[row],
      ),
    ),
    room: batch.watermarks.length >= batch.rows,
  }
}
/** Decodes by both and compares; returns how many rows there were. */
function compare({ fast, slow, dictionaries }: Both, source: SourceBatch, replay: string): number {
  const refused: [Refusal[], Refusal[]] = [[], []]
  const quick = told(fast.decode(source, (refusal) => refused[0].push(refusal)))
  const batch = slow.decode(source, (refusal) => refused[1].push(refusal))
  const decode = (record: number): string =>
    JSON.stringify(new TextDecoder().decode(source.bytes.subarray(source.starts[record]!, source.ends[record]!)))
  const expected = told(batch)
  try {
    assert.deepStrictEqual(quick, expected)
    assert.deepStrictEqual(refused[0], refused[1])
    for (const [a, b] of dictionaries) assert.deepStrictEqual(a.content(), b.content())
  } catch (error) {
    const bad = firstDifference(fast, slow, source)
    throw new Error(`${replay}${bad === null ? '' : `; record ${bad}: ${decode(bad)}`}`, { cause: error })
  }
  return batch.rows
}
/** The first record that alone is told differently; null if it takes several. */
function firstDifference(fast: Decoder, slow: Decoder, source: SourceBatch): number | null {
  for (let record = 0; record < source.count; record++) {
    const one = {
      ...source,
      count: 1,
      starts: source.starts.slice(record, record + 1),
      ends: source.ends.slice(record, record + 1),
      offsets: source.offsets.slice(record, record + 1),
      arrivals: source.arrivals.slice(record, record + 1),
    }
    const reasons: string[][] = [[], []]
    const a = fast.decode(one, ({ reason }) => reasons[0]!.push(reason)).rows
    const b = slow.decode(one, ({ reason }) => reasons[1]!.push(reason)).rows
    if (a !== b || reasons[0]!.join() !== reasons[1]!.join()) return record
  }
  return null
}

/** Records end to end, some bytes apart, somewhere in a larger memory. */
function scattered(
  random: RandomStream,
  topic: string,
  texts: readonly (Uint8Array | null)[],
  gap: number,
): SourceBatch {
  const batch = batchOf(topic, 0, random.below(1000), texts, -1)
  const lead = random.below(40)
  const bytes = random.fill(new Uint8Array(lead + batch.bytes.length + texts.length * gap + random.below(40)))
  texts.forEach((text, i) => {
    if (text === null) return
    const start = batch.starts[i]! + lead + i * gap
    bytes.set(text, start)
    batch.starts[i] = start
    batch.ends[i] = start + text.length
    // A newline between records, or none at all.
    if (gap === 1) bytes[start + text.length] = 10
  })
  for (let i = 0; i < texts.length; i++)
    batch.arrivals[i] = random.below(3) === 0 ? -1 : 1_769_000_000_000 + random.below(2_000_000) - 1_000_000
  return { ...batch, bytes }
}

function projectionsOf(random: RandomStream, of: Contract): Projection[] {
  return Object.entries(of.fields)
    .filter(() => random.below(4) > 0)
    .map(([name, { type }]): Projection => {
      const isText = type.kind === 'string' || type.kind === 'bytes' || type.kind === 'uuid'
      return { name, as: isText ? (random.below(3) === 0 ? 'text' : 'id') : 'number' }
    })
}

/** Ids are found for 64 rows at once: batches end before, on and behind that. */
const BATCH_RECORDS = 90
for (const of of contracts)
  test(`${of.topic}: ${RECORDS / contracts.length} mutated records are told as JSON.parse tells them`, () => {
    const replay = `replay: MILLRACE_SEED=${SEED} MILLRACE_FUZZ_RECORDS=${RECORDS} npm test -- kernel-decoder`
    const random = randomStream(`kernel/${SEED}/${of.topic}`)
    let accepted = 0
    let byJson = 0
    let records = 0
    while (records < RECORDS / contracts.length) {
      // A decoder of its own for every so many batches: projections, producers and learned templates differ.
      const decoders = both(of, projectionsOf(random, of), random.below(2) === 0)
      const producers = Array.from({ length: 1 + random.below(random.below(4) === 0 ? 12 : 3) }, () =>
        producerOf(random, of),
      )
      for (let i = 0; i < 20; i++) {
        const texts = Array.from({ length: 1 + random.below(BATCH_RECORDS * 2) }, () => {
          const producer = producers[random.below(producers.length)]
          assert.ok(producer)
          return recordOf(random, producer)
        })
        accepted += compare(decoders, scattered(random, of.topic, texts, random.below(3)), replay)
        records += texts.length
        if (random.below(5) > 0) continue
        for (const [a, b] of decoders.dictionaries) {
          const live = Uint8Array.from({ length: a.high }, () => random.below(2))
          a.sweep(live)
          b.sweep(live)
        }
      }
      byJson += decoders.fast.jsonRows
    }
    assert.ok(accepted > records / 8 && accepted < records, `${accepted} of ${records} records were accepted`)
    assert.ok(byJson < accepted * 0.7, `JSON read ${byJson} of ${accepted} rows: the kernel was hardly tried`)
  })

for (const of of contracts)
  test(`${of.topic}: every odd value in every field`, () => {
    const all = Object.entries(of.fields).map(([name, { type }]): Projection => {
      const isText = type.kind === 'string' || type.kind === 'bytes' || type.kind === 'uuid'
      return { name, as: isText ? 'id' : 'number' }
    })
    const projections = [all, all.map(({ name, as }): Projection => ({ name, as: as === 'id' ? 'text' : as })), []]
    // A record that is taken: the odd value alone decides then.
    let seed = 0
    const isTaken = (): boolean =>
      rowDecoder({ contract: of, projections: all, dictionaries: {}, futureLimit: false }).decode(
        batchOf(of.topic, 0, 0, [wholeRecord(randomStream(seed), of, null, '1')]),
        () => {},
      ).rows === 1
    while (!isTaken()) seed++
    const record = (place: string | null, value: string) => wholeRecord(randomStream(seed), of, place, value)
    for (const wanted of projections) {
      const decoders = both(of, wanted)
      for (const place of [...Object.keys(of.fields), null]) {
        compare(
          decoders,
          batchOf(of.topic, 0, 0, [record(null, '1'), ...tokens.map((token) => record(place, token))]),
          `${place}`,
        )
        const edges = UTF8_EDGES.map((edge) => {
          const [before = '', after = ''] = record(place, '"a|b"').split('|')
          return Uint8Array.from([...Buffer.from(before), ...edge, ...Buffer.from(after)])
        })
        compare(decoders, batchOf(of.topic, 0, 0, edges), `${place}: edges of UTF-8`)
      }
    }
  })

const line = (name: string, more = ''): string => `{"name":"${name}","at":"2026-01-31T12:00:00Z"${more}}`
const lines = contract({
  topic: 'lines',
  version: 1,
  partitions: 1,
  key: 'name',
  eventTime: 'at',
  outOfOrderMs: 0,
  idleTimeoutMs: 0,
  futureLimitMs: 0,
  doc: 'test',
  fields: {
    name: field({ kind: 'string' }, 'text'),
    at: field({ kind: 'timestamp' }, 'when'),
    note: field({ kind: 'string' }, 'text with a default', { default: 'none' }),
  },
})
const names: readonly Projection[] = [
  { name: 'name', as: 'id' },
  { name: 'note', as: 'text' },
]

test('a shape is learned from its first record, and the next ones go through the kernel', () => {
  const decoders = both(lines, names)
  compare(decoders, batchOf('lines', 0, 0, [line('a'), line('b'), line('c')]), 'first batch')
  assert.equal(decoders.fast.jsonRows, 1)
  compare(decoders, batchOf('lines', 0, 3, [line('d'), line('a', ',"note":"n"'), line('b', ',"note":null')]), 'second')
  assert.equal(decoders.fast.jsonRows, 2)
  assert.deepEqual(decoders.dictionaries[0]?.[0].content().values, ['a', 'b', 'c', 'd'])
})
test('what is escaped, nested or an exponent goes through JSON and does not disturb its neighbours', () => {
  const decoders = both(lines, names)
  const odd = [line('\\u0061'), line('a', ',"x":{}'), line('a', ',"x":1e3'), line('a', ' ')]
  compare(decoders, batchOf('lines', 0, 0, [line('a'), ...odd.flatMap((text) => [text, line('b')])]), 'odd records')
  assert.equal(decoders.fast.jsonRows, 1 + odd.length)
})
test('more shapes than there are templates: the least used gives way', () => {
  const decoders = both(lines, names)
  const shape = (i: number): string => line('a', `,"extra${i}":1`)
  const shapes = Array.from({ length: 40 }, (_, i) => shape(i))
  for (let i = 0; i < 30; i++) compare(decoders, batchOf('lines', 0, 0, shapes), `round ${i}`)
  const before = decoders.fast.jsonRows
  assert.ok(before > 900 && before < 1200, `${before} of 1200 rows by JSON`)
  // Then one new shape alone: it gets a template, however long the lessons were in vain before.
  for (let i = 0; i < 30; i++) compare(decoders, batchOf('lines', 0, 0, Array(100).fill(shape(99))), 'the new shape')
  assert.ok(decoders.fast.jsonRows - before < 1100, `${decoders.fast.jsonRows - before} of 3000 rows by JSON`)
})
test('more distinct texts than the kernel remembers: ids stay those of the dictionary', () => {
  const decoders = both(lines, names)
  const long = 'x'.repeat(1000)
  for (let round = 0; round < 2; round++)
    for (let i = 0; i < 24_000; i += 3000) {
      const texts = Array.from({ length: 3000 }, (_, j) => line(`${long}${i + j}`))
      texts.push(line('y'.repeat(5000)), line(long), line(''))
      compare(decoders, batchOf('lines', 0, 0, texts), `texts from ${i}`)
    }
  assert.equal(decoders.fast.jsonRows, 1)
})
test('texts of one hash are told apart', () => {
  // So many that some pairs of equal length share all 32 bits (about five are to be expected).
  const decoders = both(lines, names)
  for (let i = 0; i < 150_000; i += 5000) {
    const texts = Array.from({ length: 5000 }, (_, j) => line(String(1_000_000 + i + j)))
    compare(decoders, batchOf('lines', 0, 0, texts), `texts from ${i}`)
  }
})
test('sixteen zero bytes are no minute, not even before the first one was read', () => {
  const decoders = both(lines, names)
  const broken = `{"name":"a","at":"${'\0'.repeat(16)}:00Z"}`
  assert.equal(compare(decoders, batchOf('lines', 0, 0, [line('a'), broken]), 'zeros'), 1)
})
test('batches grow: the memory with them', () => {
  const decoders = both(lines, names)
  for (const count of [1, 5000, 20_000, 3])
    compare(
      decoders,
      batchOf(
        'lines',
        0,
        0,
        Array.from({ length: count }, (_, i) => line(`n${i % 7}`)),
      ),
      `${count}`,
    )
  assert.equal(decoders.fast.jsonRows, 1)
})
test('a batch at the limits goes through the kernel, one beyond them through JSON', () => {
  const size = KERNEL_BATCH_BYTES_MAX - line('').length
  for (const [bytes, rows] of [
    [size, 0],
    [size + 1, 1],
  ] as const) {
    const decoders = both(lines, names)
    compare(decoders, batchOf('lines', 0, 0, [line('a'), line('a')]), 'template')
    compare(decoders, batchOf('lines', 0, 0, [line('x'.repeat(bytes))]), `${bytes}`)
    assert.equal(decoders.fast.wholeBatchesByJson, rows)
  }
  const decoders = both(lines, names)
  compare(decoders, batchOf('lines', 0, 0, Array(KERNEL_BATCH_RECORDS_MAX).fill(null)), 'records')
  assert.equal(decoders.fast.wholeBatchesByJson, 0)
  compare(decoders, batchOf('lines', 0, 0, Array(KERNEL_BATCH_RECORDS_MAX + 1).fill(null)), 'records')
  assert.equal(decoders.fast.wholeBatchesByJson, 1)
})
test('what the kernel does not take is decoded by JSON', () => {
  const settings = (of: Contract, projections: readonly Projection[]): DecoderSettings => ({
    contract: of,
    projections,
    dictionaries: {},
    futureLimit: false,
  })
  const isKernel = (of: Contract, projections = names, module: WebAssembly.Module | null = kernel): boolean =>
    openDecoder(settings(of, projections), module) instanceof KernelDecoder
  const withFields = (more: Contract['fields']): Contract => ({ ...lines, fields: { ...lines.fields, ...more } })
  const text = field({ kind: 'string' }, 'text', { default: '' })
  const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`f${i}`, text]))
  assert.equal(isKernel(lines), true)
  assert.equal(isKernel(lines, names, null), false, 'no kernel was built')
  assert.equal(isKernel(withFields(many(61))), true, '64 fields')
  assert.equal(isKernel(withFields(many(62))), false, '65 fields')
  assert.equal(isKernel(withFields({ valueOf: text })), false, 'a name that every object has')
  assert.equal(isKernel(withFields({ other: { ...text, aliases: ['note'] } })), false, 'a name twice')
  assert.equal(isKernel(lines, [{ name: 'at', as: 'id' }]), false, 'a time by id')
  const huge = both(withFields({ huge: { ...text, default: 'x'.repeat(2 ** 20) } }), names)
  compare(huge, batchOf('lines', 0, 0, [line('a'), line('b')]), 'a default beyond the room for constants')
  assert.equal(huge.fast.wholeBatchesByJson, 1)
})
test('new texts that are no UTF-8 among new ones that are: their records go, ids keep the order of the others', () => {
  const random = randomStream(`kernel/${SEED}/wrong`)
  const all: readonly Projection[] = [
    { name: 'name', as: 'id' },
    { name: 'note', as: 'id' },
  ]
  for (let round = 0; round < 200; round++) {
    const decoders = both(lines, all)
    for (let i = 0; i < 3; i++) {
      const texts = Array.from({ length: 1 + random.below(200) }, () => {
        const record = Buffer.from(line(`n${random.below(500)}`, `,"note":"x${random.below(300)}y"`))
        const which = random.below(30)
        // In the name, or in the note behind it: then the name's id must not have been given.
        if (which === 0) record[record.indexOf('n', 9)] = 0xff
        else if (which === 1) record[record.indexOf('y"')] = 0xc2
        else if (which === 2) return 'no record'
        return record
      })
      compare(decoders, batchOf('lines', 0, 0, texts), `round ${round}`)
    }
  }
})
test('64 fields, all by id: the last of them too', () => {
  const text = field({ kind: 'string' }, 'text')
  const extra = Array.from({ length: 61 }, (_, i) => `f${i}`)
  const of: Contract = {
    ...lines,
    fields: { ...lines.fields, ...Object.fromEntries(extra.map((name) => [name, text])) },
  }
  const decoders = both(of, [...names, ...extra.map((name): Projection => ({ name, as: 'id' }))])
  const texts = Array.from({ length: 20 }, (_, i) =>
    line(
      `n${i}`,
      extra
        .toReversed()
        .map((name, j) => `,"${name}":"v${i * j}"`)
        .join(''),
    ),
  )
  assert.equal(compare(decoders, batchOf('lines', 0, 0, texts), '64 fields'), 20)
  assert.equal(decoders.fast.jsonRows, 1)
})
test('a job gives the same rows and the same snapshot by either decoder', () => {
  const random = randomStream(`kernel/${SEED}/job`)
  const plan = from(sales)
    .derive((sale) => ({ value: sale.price.times(sale.quantity) }))
    .window(hopping({ sizeMs: 6000, slideMs: 1000 }))
    .groupBy('tp_payment')
    .aggregate((sale) => ({ n: count(), revenue: sum(sale.value), things: countDistinct(sale.id_product) }))
    .lateness(2000)
    .named('both')
  const settings = { bounded: false }
  const jobs = [
    new EngineJob([plan], (decoder) => openDecoder(decoder, kernel), settings),
    new EngineJob([plan], rowDecoder, settings),
  ] as const
  const traffic = salesTraffic('2', { startMs: 1_769_000_000_000, ratePerSecond: 200, steady: true })
  const producer = producerOf(random, sales)
  for (let second = 1; second <= 20; second++) {
    const texts: (Uint8Array | null)[] = []
    traffic.produceUntil(1_769_000_000_000 + second * 1000, {
      record: (_topic, _key, value) => texts.push(value.slice()),
    })
    for (let i = 0; i < 10; i++) texts.push(recordOf(random, producer))
    const batch = batchOf('sales', second % sales.partitions, second * 1000, texts, 1_769_000_000_000 + second * 1000)
    const [fast, slow] = jobs.map((job) => {
      job.push(batch)
      const output = job.take()
      return { rows: plainRows(output), dead: output.deadLetters, late: output.lateRecords, snapshot: job.snapshot() }
    })
    assert.deepStrictEqual(fast, slow, `second ${second}; replay: MILLRACE_SEED=${SEED} npm test -- kernel-decoder`)
  }
  assert.deepStrictEqual(jobs[0].ledger(), jobs[1].ledger())
})
test('the generated sales go through the kernel, all but the first', () => {
  const decoders = both(sales, [
    { name: 'id_product', as: 'id' },
    { name: 'nm_product', as: 'text' },
    { name: 'seller', as: 'id' },
    { name: 'price', as: 'number' },
    { name: 'quantity', as: 'number' },
  ])
  const texts: Uint8Array[] = []
  const traffic = salesTraffic('1', { startMs: 1_769_000_000_000, ratePerSecond: 1000, steady: true })
  traffic.produceUntil(1_769_000_002_000, { record: (_topic, _key, value) => texts.push(value.slice()) })
  assert.ok(texts.length > 1500)
  assert.equal(compare(decoders, batchOf('sales', 0, 0, texts), 'generated'), texts.length)
  assert.equal(decoders.fast.jsonRows, 1)
})
