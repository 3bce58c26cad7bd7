// Committed offsets as entries and as a table: their bytes, what each entry does, snapshots, retention.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BrokenInvariant } from '../../std/assert.ts'
import { randomStream } from '../../std/random.ts'
import { type OffsetEntry, readOffsetEntry, writeOffsetEntry } from './offset-entry.ts'
import { OffsetTable } from './offset-table.ts'

const place = (topicKey: number, partition: number) => ({ topicKey, partition })
const committed = (
  group: string,
  committedMs: number,
  offsets: readonly (readonly [topicKey: number, partition: number, offset: number])[],
  protocolType = '',
): OffsetEntry => ({
  what: 'committed',
  group,
  protocolType,
  committedMs,
  offsets: offsets.map(([topicKey, partition, offset]) => ({
    ...place(topicKey, partition),
    offset,
    leaderEpoch: -1,
    metadata: '',
  })),
})

test('the bytes of each entry: what this version wrote, every later one must read', () => {
  const told: readonly (readonly [OffsetEntry, string])[] = [
    [
      {
        what: 'committed',
        group: 'Ω',
        protocolType: 'consumer',
        committedMs: 1_700_000_000_000,
        offsets: [
          { topicKey: 7, partition: 2, offset: 2 ** 40 + 5, leaderEpoch: -1, metadata: '' },
          { topicKey: 8, partition: 0, offset: 0, leaderEpoch: 3, metadata: 'é' },
        ],
      },
      '010002cea90008636f6e73756d65720000018bcfe5680000000002' +
        '00000007000000020000010000000005ffffffff0000' +
        '00000008000000000000000000000000000000030002c3a9',
    ],
    [{ what: 'forgotten', group: 'g', places: [place(1, 2)] }, '02000167000000010000000100000002'],
    [{ what: 'deleted', group: '' }, '030000'],
    [{ what: 'peopled', group: 'g', protocolType: 'connect' }, '040001670007636f6e6e656374'],
    [{ what: 'emptied', group: 'g', sinceMs: 258 }, '050001670000000000000102'],
  ]
  for (const [entry, hex] of told) {
    assert.equal(Buffer.from(writeOffsetEntry(entry)).toString('hex'), hex)
    assert.deepEqual(readOffsetEntry(new Uint8Array(Buffer.from(hex, 'hex'))), entry)
    const whole = Buffer.from(hex, 'hex')
    for (let length = 0; length < whole.length; length++) {
      assert.throws(() => readOffsetEntry(new Uint8Array(whole.subarray(0, length))), BrokenInvariant)
    }
    assert.throws(() => readOffsetEntry(new Uint8Array([...whole, 0])), BrokenInvariant)
  }
  assert.throws(() => readOffsetEntry(new Uint8Array([9, 0, 0])), BrokenInvariant)
})

test('the table: later commits win, forgetting and deleting leave nothing behind, a topic takes its offsets along', () => {
  const table = new OffsetTable()
  const at = (group: string, topicKey: number, partition: number) =>
    table.committed(group, place(topicKey, partition))?.offset
  table.apply(
    committed('a', 10, [
      [1, 0, 5],
      [1, 1, 6],
      [2, 0, 7],
    ]),
  )
  table.apply(committed('b', 10, [[1, 0, 50]], 'consumer'))
  table.apply(committed('a', 20, [[1, 0, 4]]))
  assert.deepEqual(
    [at('a', 1, 0), at('a', 1, 1), at('a', 2, 0), at('b', 1, 0), at('b', 9, 0)],
    [4, 6, 7, 50, undefined],
  )
  assert.deepEqual([table.group('a')?.emptySinceMs, table.group('b')?.emptySinceMs], [10, null])
  table.apply({ what: 'forgotten', group: 'a', places: [place(1, 1), place(9, 9)] })
  assert.deepEqual([at('a', 1, 0), at('a', 1, 1)], [4, undefined])
  table.dropTopic(1)
  assert.deepEqual([at('a', 1, 0), at('a', 2, 0), table.group('b')], [undefined, 7, null])
  table.apply({ what: 'peopled', group: 'a', protocolType: 'consumer' })
  assert.deepEqual([table.group('a')?.protocolType, table.group('a')?.emptySinceMs], ['consumer', null])
  table.apply({ what: 'emptied', group: 'a', sinceMs: 99 })
  assert.equal(table.group('a')?.emptySinceMs, 99)
  table.apply({ what: 'deleted', group: 'a' })
  table.apply({ what: 'deleted', group: 'never there' })
  table.apply({ what: 'emptied', group: 'never there', sinceMs: 1 })
  table.apply(committed('nothing', 1, []))
  assert.deepEqual([...table.groups()], [])
  assert.equal(table.bytes, 0)
})

test('an entry is told when it is durable, and one that was taken back never was', () => {
  const entry = (offset: number): OffsetEntry => committed('g', 0, [[1, 0, offset]])
  const entries = [entry(1), entry(2), entry(3)] as const
  const table = new OffsetTable()
  const [, backSecond, backThird] = entries.map((each) => table.take(each))
  assert.equal(table.group('g'), null)
  table.takenIsDurable(entries[0])
  assert.equal(table.committed('g', place(1, 0))?.offset, 1)
  backThird!()
  backSecond!()
  assert.deepEqual(table.capture().taken, [])
  assert.equal(table.committed('g', place(1, 0))?.offset, 1)
  assert.throws(() => backSecond!(), BrokenInvariant, 'once only')
  table.take(entries[1])
  assert.throws(() => table.takenIsDurable(entries[2]), BrokenInvariant, 'in order only')
})

test('a snapshot, with what was on its way, gives the same table: 100 seeds', () => {
  for (let seed = 1; seed <= 100; seed++) {
    const random = randomStream(`offsets ${seed}`)
    const table = new OffsetTable()
    const draw = (): OffsetEntry => {
      const group = `g${random.below(4)}`
      const places = Array.from({ length: 1 + random.below(3) }, () => place(1 + random.below(3), random.below(3)))
      switch (random.below(9)) {
        case 0:
          return { what: 'deleted', group }
        case 1:
          return { what: 'forgotten', group, places }
        case 2:
          return { what: 'peopled', group, protocolType: 'consumer' }
        case 3:
          return { what: 'emptied', group, sinceMs: random.below(1000) }
        default:
          return committed(
            group,
            random.below(1000),
            places.map((each) => [each.topicKey, each.partition, random.below(1000)]),
            random.below(2) === 0 ? 'consumer' : '',
          )
      }
    }
    for (let i = 0; i < 40; i++) table.apply(draw())
    const onItsWay = Array.from({ length: random.below(4) }, draw)
    for (const entry of onItsWay) table.take(entry)
    const copy = new OffsetTable()
    copy.restore(JSON.parse(JSON.stringify(table.capture())))
    for (const entry of onItsWay) table.takenIsDurable(entry)
    const sorted = (each: OffsetTable) => [...each.groups()].sort(([a], [b]) => (a < b ? -1 : 1))
    assert.deepEqual(sorted(copy), sorted(table), `seed ${seed}`)
    assert.equal(copy.bytes, table.bytes, `seed ${seed}`)
  }
})

test('retention: from the later of the commit and the day the members left; never while there are some', () => {
  const table = new OffsetTable()
  table.apply(committed('simple', 100, [[1, 0, 1]]))
  table.apply(committed('simple', 150, [[1, 1, 1]]))
  table.apply(committed('left', 100, [[1, 0, 1]], 'consumer'))
  table.apply({ what: 'emptied', group: 'left', sinceMs: 160 })
  table.apply(committed('there', 0, [[1, 0, 1]], 'consumer'))
  const expired = (nowMs: number) =>
    table.expired(nowMs, 100).flatMap(({ group, places }) => places.map(({ partition }) => `${group}/${partition}`))
  assert.deepEqual(expired(199), [])
  assert.deepEqual(expired(200), ['simple/0'])
  assert.deepEqual(expired(250), ['simple/0', 'simple/1'])
  assert.deepEqual(expired(259), ['simple/0', 'simple/1'])
  assert.deepEqual(expired(1e12), ['simple/0', 'simple/1', 'left/0'])
  const reading = (topicKey: number) =>
    table.expired(100, 100, (group) => (group === 'there' ? (key) => key === topicKey : null))
  assert.deepEqual(reading(1), [], 'what its members read stays')
  assert.deepEqual(reading(2), [{ group: 'there', places: [{ topicKey: 1, partition: 0 }] }])
})

test('offsets that say that there is none come back as they were', () => {
  for (const offset of [-1, -2]) {
    const entry = committed('g', 5, [[1, 2, offset]])
    assert.deepEqual(readOffsetEntry(writeOffsetEntry(entry)), entry)
  }
})
