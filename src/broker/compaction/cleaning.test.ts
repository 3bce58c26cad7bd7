// Compaction against a naive model: random partitions of keys, tombstones, transactions, codecs, cleaned again and again.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crc32c } from '../../std/crc32c.ts'
import { type RandomStream, randomStream } from '../../std/random.ts'
import { BatchWriter } from '../../wire/batch-writer.ts'
import type { Compression } from '../../wire/compression.ts'
import {
  baseOffset,
  baseSequence,
  baseTimestampMs,
  checkStored,
  codecOf,
  isControl,
  lastOffset,
  maxTimestampMs,
  producerEpoch,
  producerId,
  recordCount,
  recordHeaders,
  recordSlots,
  recordsOf,
  setBaseOffset,
  walkRecords,
} from '../../wire/record-batch.ts'
import { deleteHorizonMs } from '../../wire/rewritten-batch.ts'
import { Cleaning, type CleaningRules, KeyNotes } from './cleaning.ts'
import { KeyOffsets } from './key-offsets.ts'
import type { AbortedTransaction } from './transactions-seen.ts'

interface Row {
  readonly offset: number
  readonly key: string | null
  readonly value: string | null
  readonly timestampMs: number
  readonly header: string
}
const text = (bytes: Uint8Array, from: number, to: number): string | null =>
  from < 0 ? null : new TextDecoder().decode(bytes.subarray(from, to))

function rowsOf(batch: Uint8Array): Row[] {
  const slots = recordSlots(4096)
  const { bytes, start, end } = recordsOf(batch)
  walkRecords(bytes, start, end, slots)
  const base = baseTimestampMs(batch)
  return Array.from({ length: slots.count }, (_, i) => ({
    offset: baseOffset(batch) + slots.offsetDelta[i]!,
    key: text(bytes, slots.keyStart[i]!, slots.keyEnd[i]!),
    value: text(bytes, slots.valueStart[i]!, slots.valueEnd[i]!),
    timestampMs: base + slots.timestampDelta[i]!,
    header: recordHeaders(bytes, slots.headersStart[i]!)
      .map(({ name }) => name)
      .join(),
  }))
}

const encode = (value: string | null): Uint8Array | null => (value === null ? null : new TextEncoder().encode(value))
interface Producer {
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly baseSequence: number
}
function batchAt(
  base: number,
  rows: readonly { key: string | null; value: string | null; timestampMs: number }[],
  options: { compression?: Compression; producer?: Producer; flags?: number } = {},
): Uint8Array {
  const writer = new BatchWriter({ compression: options.compression ?? 'none' })
  for (const { key, value, timestampMs } of rows) {
    writer.append(encode(key), encode(value), timestampMs, [{ name: `h${key ?? ''}`, value: null }])
  }
  const batch = writer.finish(options.producer ?? null)
  setBaseOffset(batch, base)
  batch[22]! |= options.flags ?? 0
  new DataView(batch.buffer).setUint32(17, crc32c(batch, 21))
  return batch
}
function marker(base: number, id: bigint, commits: boolean): Uint8Array {
  const writer = new BatchWriter()
  writer.append(new Uint8Array([0, 0, 0, commits ? 1 : 0]), new Uint8Array(6), 77)
  const batch = writer.finish({ producerId: id, producerEpoch: 0, baseSequence: -1 })
  setBaseOffset(batch, base)
  batch[22]! |= 0x30
  new DataView(batch.buffer).setUint32(17, crc32c(batch, 21))
  return batch
}

const rules = (more: Partial<CleaningRules> = {}): CleaningRules => ({
  nowMs: 1_000_000,
  deleteRetentionMs: 1000,
  aborted: [],
  holdsLastSequence: () => false,
  ...more,
})
/** Both passes; the dirty part begins at `dirty`. */
function cleaned(
  batches: readonly Uint8Array[],
  dirty: number,
  given: CleaningRules,
  mapBytes = 1 << 20,
): { batches: Uint8Array[]; end: number } {
  const map = new KeyOffsets(mapBytes)
  const notes = new KeyNotes(map, given.aborted, dirty)
  for (const batch of batches) if (baseOffset(batch) >= dirty && !notes.note(batch)) break
  const cleaning = new Cleaning(map, given, notes.end)
  const after: Uint8Array[] = []
  for (const batch of batches) {
    if (baseOffset(batch) >= notes.end) {
      after.push(batch)
      continue
    }
    const before = batch.slice()
    const fate = cleaning.clean(batch)
    assert.deepEqual(batch, before, 'what is read is left as it is')
    if (fate.fate === 'keep') after.push(batch)
    else if (fate.fate === 'rewrite') after.push(fate.batch)
  }
  return { batches: after, end: notes.end }
}

test('the newest record of each key stays, at its offset, with time and headers; whole batches stay byte for byte', () => {
  const row = (key: string | null, value: string | null, timestampMs = 5) => ({ key, value, timestampMs })
  const batches = [
    batchAt(0, [row('a', '1', 10), row('b', '1', 30), row('c', '1', 20)], { compression: 'gzip' }),
    batchAt(3, [row('a', '2'), row(null, 'no key')]),
    batchAt(5, [row('d', '1'), row('e', '1')], { compression: 'lz4' }),
    batchAt(7, [row('a', '3')]),
  ]
  const { batches: after } = cleaned(batches, 0, rules())
  assert.deepEqual(after.map(rowsOf), [
    [
      { offset: 1, key: 'b', value: '1', timestampMs: 30, header: 'hb' },
      { offset: 2, key: 'c', value: '1', timestampMs: 20, header: 'hc' },
    ],
    [
      { offset: 5, key: 'd', value: '1', timestampMs: 5, header: 'hd' },
      { offset: 6, key: 'e', value: '1', timestampMs: 5, header: 'he' },
    ],
    [{ offset: 7, key: 'a', value: '3', timestampMs: 5, header: 'ha' }],
  ])
  assert.deepEqual([baseOffset(after[0]!), lastOffset(after[0]!), codecOf(after[0]!)], [0, 2, 'gzip'])
  assert.equal(maxTimestampMs(after[0]!), 30)
  assert.equal(after[1], batches[2])
  for (const batch of after) assert.equal(checkStored(batch), null)
})

test('a tombstone stays for its time from when it was first met, then goes; record times do not change by it', () => {
  const put = batchAt(0, [{ key: 'a', value: '1', timestampMs: 100 }])
  const gone = batchAt(1, [
    { key: 'a', value: null, timestampMs: 2 ** 40 },
    { key: 'b', value: '1', timestampMs: -5 },
  ])
  const first = cleaned([put, gone], 0, rules()).batches
  assert.equal(first.length, 1)
  assert.equal(deleteHorizonMs(first[0]!), 1_001_000)
  assert.deepEqual(rowsOf(first[0]!), rowsOf(gone))
  const early = cleaned(first, 3, rules({ nowMs: 1_000_999 })).batches
  assert.equal(early[0], first[0])
  const late = cleaned(first, 3, rules({ nowMs: 1_001_000 })).batches
  assert.deepEqual(
    late.flatMap(rowsOf).map(({ key, timestampMs }) => [key, timestampMs]),
    [['b', -5]],
  )
  assert.equal(lastOffset(late[0]!), 2)
})

test('the last batch of a producer stays without records, with its sequences', () => {
  const producer = { producerId: 9n, producerEpoch: 2, baseSequence: 40 }
  const rows = [1, 2, 3].map((value) => ({ key: 'a', value: String(value), timestampMs: value }))
  const batches = [
    batchAt(0, rows, { producer, compression: 'zstd' }),
    batchAt(3, [{ key: 'a', value: 'x', timestampMs: 9 }]),
  ]
  const { batches: after } = cleaned(batches, 0, rules({ holdsLastSequence: ({ producerId: id }) => id === 9n }))
  const empty = after[0]!
  assert.equal(empty.length, 61)
  assert.equal(checkStored(empty), null)
  assert.deepEqual(
    [
      recordCount(empty),
      baseOffset(empty),
      lastOffset(empty),
      producerId(empty),
      producerEpoch(empty),
      baseSequence(empty),
    ],
    [0, 0, 2, 9n, 2, 40],
  )
  assert.deepEqual(rowsOf(empty), [])
  assert.equal(
    cleaned(after, 4, rules({ holdsLastSequence: () => true })).batches[0],
    empty,
    'once empty, it stays as it is',
  )
  assert.equal(cleaned(after, 4, rules()).batches.length, 1)
})

test('records of aborted transactions go and hide nothing; markers go when nothing is left, after their time', () => {
  const in1 = { producerId: 1n, producerEpoch: 0, baseSequence: 0 }
  const in2 = { producerId: 2n, producerEpoch: 0, baseSequence: 0 }
  const record = (value: string) => [{ key: 'a', value, timestampMs: 1 }]
  const batches = [
    batchAt(0, record('first')),
    batchAt(1, record('aborted'), { producer: in1, flags: 0x10 }),
    batchAt(2, [{ key: 'b', value: 'committed', timestampMs: 1 }], { producer: in2, flags: 0x10 }),
    marker(3, 1n, false),
    marker(4, 2n, true),
  ]
  const aborted = [{ producerId: 1n, firstOffset: 1, lastOffset: 3 }]
  const first = cleaned(batches, 0, rules({ aborted })).batches
  assert.deepEqual(
    first.map((batch) => baseOffset(batch)),
    [0, 2, 3, 4],
  )
  assert.equal(rowsOf(first[0]!)[0]!.value, 'first', 'what was aborted supersedes nothing')
  assert.equal(first[2], batches[3], 'readers are told of it until they meet its marker')
  assert.equal(cleaned(first, 5, rules({ aborted })).batches[2], batches[3], 'as long as they are told')
  const second = cleaned(first, 5, rules({ aborted: [] })).batches
  assert.equal(deleteHorizonMs(second[2]!), 1_001_000, 'its time begins when nothing of it is left')
  assert.equal(deleteHorizonMs(second[3]!), null, 'the committed record is still there')
  const third = cleaned(second, 5, rules({ nowMs: 2_000_000 })).batches
  assert.deepEqual(
    third.map((batch) => baseOffset(batch)),
    [0, 2, 4],
  )
})

test('a map that is full ends the pass; nothing behind it is touched, and nothing is lost over several passes', () => {
  const batches = Array.from({ length: 60 }, (_, i) =>
    batchAt(i, [{ key: `k${i % 20}`, value: String(i), timestampMs: i }]),
  )
  let state: readonly Uint8Array[] = batches
  let dirty = 0
  let passes = 0
  for (; dirty < 60; passes++) {
    const result = cleaned(state, dirty, rules(), 24 * 8)
    assert.ok(result.end > dirty, 'each pass moves on')
    state = result.batches
    dirty = result.end
  }
  assert.ok(passes > 5)
  assert.deepEqual(
    state.flatMap(rowsOf).map(({ value }) => Number(value)),
    Array.from({ length: 20 }, (_, i) => 40 + i),
  )
})

// --- Against a model ---

const seed = process.env.MILLRACE_SEED ?? String(Date.now())
const codecs: readonly Compression[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd']

interface Past {
  readonly batches: Uint8Array[]
  readonly rows: Row[]
  readonly abortedOffsets: Set<number>
  readonly aborted: AbortedTransaction[]
}
/** A partition with a past; transactions follow each other per producer, and all are ended. */
function drawPast(random: RandomStream, count: number, from: Past | null): Past {
  const batches = [...(from?.batches ?? [])]
  const rows = [...(from?.rows ?? [])]
  const abortedOffsets = new Set(from?.abortedOffsets)
  const aborted = [...(from?.aborted ?? [])]
  const keys = 1 + random.below(12)
  const open = new Map<bigint, { first: number; offsets: number[] }>()
  let next = batches.length === 0 ? 0 : lastOffset(batches.at(-1)!) + 1
  const end = (id: bigint): void => {
    const transaction = open.get(id)!
    const commits = random.below(2) === 0
    batches.push(marker(next, id, commits))
    if (!commits) {
      aborted.push({ producerId: id, firstOffset: transaction.first, lastOffset: next })
      for (const offset of transaction.offsets) abortedOffsets.add(offset)
    }
    next++
    open.delete(id)
  }
  for (let i = 0; i < count; i++) {
    const size = 1 + random.below(4)
    const drawn = Array.from({ length: size }, () => ({
      key: `k${random.below(keys)}`,
      value: random.below(4) === 0 ? null : `v${random.u32()}`,
      timestampMs: random.below(1_000_000),
    }))
    const id = BigInt(random.below(3))
    const inTransaction = random.below(3) === 0
    const producer = { producerId: inTransaction ? id : 10n + id, producerEpoch: 0, baseSequence: next }
    const batch = batchAt(next, drawn, {
      compression: codecs[random.below(codecs.length)]!,
      ...(inTransaction || random.below(2) === 0 ? { producer } : {}),
      flags: inTransaction ? 0x10 : 0,
    })
    batches.push(batch)
    rows.push(...rowsOf(batch))
    if (inTransaction) {
      const transaction = open.get(id) ?? { first: next, offsets: [] }
      for (let offset = next; offset < next + size; offset++) transaction.offsets.push(offset)
      open.set(id, transaction)
    }
    next += size
    if (random.below(5) === 0) for (const each of [...open.keys()]) end(each)
  }
  for (const each of [...open.keys()]) end(each)
  return { batches, rows, abortedOffsets, aborted }
}

test('random partitions, cleaned again and again while they grow: what stays is what the model keeps', () => {
  for (let run = 0; run < 300; run++) {
    const told = `run ${run}; replay: MILLRACE_SEED=${seed} npm test -- src/broker/compaction`
    const random = randomStream(`${seed}/${run}`)
    let past: Past | null = null
    let state: Uint8Array[] = []
    let dirty = 0
    let nowMs = 1_000_000
    for (let round = 0; round < 4; round++) {
      const held: number = past?.batches.length ?? 0
      past = drawPast(random, 1 + random.below(25), past)
      state.push(...past.batches.slice(held))
      nowMs += random.below(3000)
      const lastOf = new Map<bigint, number>()
      for (const batch of past.batches) if (!isControl(batch)) lastOf.set(producerId(batch), lastOffset(batch))
      const given = rules({
        nowMs,
        aborted: past.aborted,
        holdsLastSequence: ({ producerId: id }, last) => lastOf.get(id) === last,
      })
      const { batches, end } = cleaned(
        state,
        dirty,
        given,
        random.below(3) === 0 ? 24 * (3 + random.below(10)) : 1 << 16,
      )
      check(past, batches, end, told)
      assert.ok(end >= dirty, told)
      state = batches
      dirty = end
    }
  }
})

function check(past: Past, after: readonly Uint8Array[], end: number, told: string): void {
  const before = new Map(past.rows.map((row) => [row.offset, row]))
  const newest = new Map<string, Row>()
  for (const row of past.rows) {
    if (row.offset < end && !past.abortedOffsets.has(row.offset)) newest.set(row.key!, row)
  }
  const found = new Map<number, Row>()
  let previousEnd = 0
  for (const batch of after) {
    assert.equal(checkStored(batch), null, told)
    assert.ok(baseOffset(batch) >= previousEnd, told)
    previousEnd = lastOffset(batch) + 1
    if (isControl(batch)) continue
    const rows = rowsOf(batch)
    assert.equal(recordCount(batch), rows.length, told)
    if (rows.length > 0)
      assert.ok(
        rows.every((row) => row.timestampMs <= maxTimestampMs(batch)),
        told,
      )
    for (const row of rows) {
      assert.deepEqual(row, before.get(row.offset), `${told}: a record as it was written`)
      found.set(row.offset, row)
    }
  }
  for (const row of past.rows) {
    if (row.offset >= end) {
      assert.ok(found.has(row.offset), `${told}: ${row.offset} is not cleaned yet`)
      continue
    }
    const isNewest = newest.get(row.key!)?.offset === row.offset
    const stays = found.has(row.offset)
    if (past.abortedOffsets.has(row.offset)) assert.ok(!stays, `${told}: ${row.offset} was aborted`)
    // A key that is met again where the map ended keeps its older record until the next pass.
    else if (!isNewest) {
      const later = past.rows.some((other) => other.key === row.key && other.offset >= end)
      assert.ok(!stays || later, `${told}: ${row.offset} is superseded`)
    } else if (row.value !== null) assert.ok(stays, `${told}: ${row.offset} is the newest of ${row.key}`)
  }
}
