// The encoder's kernel against strings: the same bytes for every kind of value, the odd ones above all; then its limits.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { compileEncoder } from '../../../tools/kernel.ts'
import { contract, type FieldType, field, nullable } from '../../query/contract.ts'
import type { Plan } from '../../query/plan.ts'
import { from } from '../../query/query.ts'
import { type RandomStream, randomStream } from '../../std/random.ts'
import { Dictionary } from '../dictionary.ts'
import { recordsJson, rowsJson } from '../encoded-rows.ts'
import { keyText } from '../result-rows.ts'
import { ResultBuilder, type TimingIndex } from '../results.ts'
import { STEP_FLOAT } from './encode-layout.ts'
import { RowEncoder } from './row-encoder.ts'

const SEED = process.env.MILLRACE_SEED ?? 'row-encoder'
const ROUNDS = Number(process.env.MILLRACE_ROUNDS ?? 60)
const ROWS = 200

// Compiled from the sources, so that no stale build is tested.
const kernel = new WebAssembly.Module(await compileEncoder(fileURLToPath(new URL('../../../', import.meta.url))))

const types: { readonly [name: string]: FieldType } = {
  'a "quoted" name of more than sixteen bytes': { kind: 'string' },
  t: { kind: 'string' },
  i: { kind: 'int64' },
  f: { kind: 'float64' },
  b: { kind: 'bool' },
  d: { kind: 'date' },
  m: { kind: 'money', scale: 2, currency: 'EUR' },
  d0: { kind: 'decimal', scale: 0 },
  d9: { kind: 'decimal', scale: 9 },
  d15: { kind: 'decimal', scale: 15 },
  s: { kind: 'timestamp' },
}
const things = contract({
  topic: 'things',
  version: 1,
  partitions: 3,
  key: 'id',
  eventTime: 'at',
  outOfOrderMs: 0,
  idleTimeoutMs: 0,
  futureLimitMs: 0,
  fields: {
    id: field({ kind: 'string' }, 'Which one.'),
    at: field({ kind: 'timestamp' }, 'When.'),
    ...Object.fromEntries(Object.entries(types).map(([name, type]) => [name, nullable(type, `A ${type.kind}.`)])),
  },
  doc: 'Things.',
})
const allTimes = ['iso-seconds', 'iso-milliseconds', 'epoch-seconds', 'epoch-milliseconds'] as const
const keyed = ['t', 's', 'i', 'm'] as const

function planWith(times: (typeof allTimes)[number], finalColumn: string | null, isKeyed: boolean, key: boolean): Plan {
  const plan = from(things).output({ times }).named('rows')
  const last = plan.nodes[plan.nodes.length - 1]!
  const changelog = isKeyed ? ({ mode: 'upsert', key: keyed } as const) : last.changelog
  return {
    ...plan,
    output: { ...plan.output, finalColumn, ...(key ? { key: 't' } : {}) },
    nodes: [...plan.nodes.slice(0, -1), { ...last, changelog }],
  } as Plan
}

const bits = new DataView(new ArrayBuffer(8))
function oddNumber(random: RandomStream): number {
  const whole = (below: number): number => Math.floor(random.float() * below)
  switch (random.below(12)) {
    case 0:
      return Number.NaN
    case 1:
      return -0
    case 2:
      bits.setUint32(0, whole(2 ** 32))
      bits.setUint32(4, whole(2 ** 32))
      return bits.getFloat64(0)
    case 3:
      return 10 ** (random.below(40) - 15) * (random.below(2) === 0 ? 1 : -1)
    case 4:
      return Number.MAX_SAFE_INTEGER - random.below(3)
    case 5:
      return -(2 ** random.below(60)) + random.below(3)
    case 6:
      return whole(10 ** (1 + random.below(16))) / 10 ** random.below(17)
    case 7:
      return random.float()
    case 8:
      return (whole(1000) / 10) * 3
    case 9:
      return 10 ** random.below(17) - 1
    default:
      return whole(10 ** (1 + random.below(15))) * (random.below(4) === 0 ? -1 : 1)
  }
}
function oddInstant(random: RandomStream): number {
  const ms = Math.floor(random.float() * 4e12) - 1e12
  switch (random.below(8)) {
    case 0:
      return Number.NaN
    case 1:
      return [-62167219200000, -62167219200001, 253402300799999, 253402300800000, 8.64e15, -8.64e15][random.below(6)]!
    case 2:
      return Math.floor(ms / 1000) * 1000
    case 3:
      return Math.floor(ms / 86_400_000) * 86_400_000 - random.below(2)
    default:
      return ms
  }
}
const texts = [
  '',
  'plain',
  'x'.repeat(15),
  'x'.repeat(16),
  'y'.repeat(17),
  'z'.repeat(300),
  'Jatobá',
  '😀 and more of it than sixteen bytes',
  'quote " backslash \\ newline \n tab \t bell \u0007',
  '\u2028\u2029',
  '\ud800 alone',
  '</script>',
]
const utf8 = new TextEncoder()

function fill(builder: ResultBuilder, plan: Plan, random: RandomStream): void {
  const dictionary = new Dictionary<string>()
  const columns = plan.nodes[plan.nodes.length - 1]!.columns
  const lanes = 3
  const count = random.below(ROWS)
  if (random.below(2) === 0) {
    // Rows of records, with slices of a memory.
    const memory = utf8.encode(texts.filter((text) => JSON.stringify(text) === `"${text}"`).join('|'))
    const rows = Int32Array.from({ length: count }, (_, i) => i)
    // Defaults lie outside of the batch's bytes.
    const low = random.below(2) * 20
    builder.addRecords(
      random.below(lanes),
      Float64Array.from({ length: count }, () => random.below(1e9)),
      rows,
      count,
    )
    columns.forEach(({ type }, i) => {
      if (type.kind !== 'string') {
        const values = Float64Array.from({ length: count }, () => oddValue(type, random))
        builder.setColumn(i, { kind: 'number', values }, rows, count, count)
        return
      }
      if (random.below(2) === 0) {
        const values = Int32Array.from({ length: count }, () => random.below(texts.length + 1) - 1)
        for (let id = 0; id < texts.length; id++) assert.equal(dictionary.idOf(texts[id]!), id)
        builder.setColumn(i, { kind: 'id', values, dictionary }, rows, count, count)
        return
      }
      const lengths = Int32Array.from({ length: count }, () => [0, 5, 15, 16, 17][random.below(5)]!)
      // What is one character must stay whole: the first ones of the memory are plain.
      const starts = Int32Array.from({ length: count }, () => [-1, -2, 1, 1, 1][random.below(5)]!)
      const values = Array.from(starts, (start) => (start === -2 ? texts[random.below(texts.length)]! : null))
      const batchRows = random.below(2) === 0 ? count : count * 3
      const slices = { memory, starts, lengths, low, high: memory.length }
      builder.setColumn(i, { kind: 'text', values, slices }, rows, count, batchRows)
    })
    return
  }
  for (let row = 0; row < count; row++) {
    const offsets = Float64Array.from({ length: lanes * 2 }, () => 0)
    for (let lane = 0; lane < lanes; lane++) {
      const isNone = random.below(3) === 0
      offsets[lane * 2] = isNone ? Number.POSITIVE_INFINITY : random.below(1e9)
      offsets[lane * 2 + 1] = isNone ? -1 : 2 ** 52 + random.below(1e6)
    }
    const evidence =
      random.below(3) === 0 ? builder.addRecord(random.below(lanes), row) : builder.addEvidence(offsets, 0)
    if (random.below(10) === 0) {
      builder.addRetraction(random.below(3) as TimingIndex, evidence)
      continue
    }
    builder.addRow(random.below(3) as TimingIndex, evidence)
    columns.forEach(({ type }, i) => {
      const text = texts[random.below(texts.length)]!
      if (type.kind !== 'string')
        builder.setNumber(i, oddValue(type, random), type.kind === 'money' && random.below(50) === 0 ? 3 : 0)
      else if (random.below(2) === 0) builder.setText(i, random.below(9) === 0 ? null : text)
      else builder.setId(i, random.below(9) === 0 ? -1 : dictionary.idOf(text), dictionary)
    })
  }
}
function oddValue(type: FieldType, random: RandomStream): number {
  const value = oddNumber(random)
  switch (type.kind) {
    case 'float64':
      return value
    case 'bool':
      return random.below(3) === 0 ? Number.NaN : random.below(2)
    case 'date':
      return Math.floor(oddInstant(random) / 86_400_000)
    case 'timestamp':
      return oddInstant(random)
    default:
      return Number.isFinite(value) && Math.abs(value) <= Number.MAX_SAFE_INTEGER ? Math.trunc(value) : Number.NaN
  }
}

test('rows and records by the kernel are those as strings, byte for byte', () => {
  const encoder = new RowEncoder(kernel)
  for (let round = 0; round < ROUNDS; round++) {
    const random = randomStream(SEED).fork(String(round))
    const plan = planWith(
      allTimes[round % 4]!,
      [null, 'is "final"'][random.below(2)]!,
      random.below(2) === 0,
      random.below(3) === 0,
    )
    const builder = new ResultBuilder(
      plan,
      Array.from({ length: 3 }, (_, partition) => ({ topic: 'things', partition })),
    )
    for (let take = 0; take < 3; take++) {
      fill(builder, plan, random)
      const batch = builder.take()
      const replay = `round ${round}, take ${take}: MILLRACE_SEED=${SEED}`
      const last = ['', ',"written":"é"'][random.below(2)]!
      same(rowsJson(batch, last, encoder), rowsJson(batch, last, null), 1, replay)
      same(recordsJson(batch, last, encoder), recordsJson(batch, last, null), 3, replay)
      const { hasKey } = recordsJson(batch, last, encoder)
      for (let row = 0; row < batch.count; row++) assert.equal(hasKey(row), keyText(batch, row) !== null)
      if (random.below(2) === 0) builder.release(batch)
    }
  }
})

type Encoded = ReturnType<typeof rowsJson>
function same(fast: Encoded, slow: Encoded, parts: number, replay: string): void {
  const partAt = ({ bytes, ends }: Encoded, i: number): string =>
    Buffer.from(bytes.subarray(i === 0 ? 0 : ends[i - 1]!, ends[i]!)).toString()
  assert.equal(fast.ends.length, slow.ends.length, replay)
  for (let i = 0; i < slow.ends.length; i++)
    if (partAt(fast, i) !== partAt(slow, i))
      assert.equal(partAt(fast, i), partAt(slow, i), `row ${Math.floor(i / parts)}, part ${i % parts}, ${replay}`)
}

test('doubles are written as JavaScript writes them', () => {
  const encoder = new RowEncoder(kernel)
  const random = randomStream(SEED).fork('doubles')
  const values = Float64Array.from({ length: 50_000 }, () => oddNumber(random))
  let asked = 0
  const encoded = encoder.encode(
    [
      {
        kind: 'number',
        literal: new Uint8Array(0),
        step: STEP_FLOAT,
        scale: 0,
        values,
        slow: (row) => {
          asked++
          return String(values[row])
        },
      },
      { kind: 'end', literal: new Uint8Array(0) },
    ],
    values.length,
  )
  assert.ok(encoded !== null)
  const { bytes, ends } = encoded
  for (let row = 0; row < values.length; row++) {
    const text = Buffer.from(bytes.subarray(row === 0 ? 0 : ends[row - 1]!, ends[row])).toString()
    const wanted = Number.isNaN(values[row]) ? 'null' : String(values[row])
    if (text !== wanted) assert.equal(text, wanted, `MILLRACE_SEED=${SEED}`)
  }
  assert.ok(asked < values.length / 2, `${asked} of ${values.length} values were asked for`)
})

test('rows that need more than the memory are for strings, and the next batch is for the kernel again', () => {
  const encoder = new RowEncoder(kernel)
  const end = { kind: 'end', literal: new Uint8Array(0) } as const
  const literal = (sizeBytes: number) => ({ kind: 'literal', literal: new Uint8Array(sizeBytes).fill(97) }) as const
  assert.equal(encoder.encode([literal(1 << 20), end], 300), null)
  assert.equal(
    encoder.encode(
      Array.from({ length: 2049 }, () => end),
      1,
    ),
    null,
  )
  const encoded = encoder.encode([literal(20), end], 2)
  assert.equal(Buffer.from(encoded?.bytes ?? []).toString(), 'a'.repeat(40))
  assert.deepEqual([...(encoded?.ends ?? [])], [20, 40])
})
