// What every serving store must do, whichever database it is.
import assert from 'node:assert/strict'
import { type SuiteContext, type TestContext, test } from 'node:test'
import { servedTables } from '../../src/platform/serving-store.ts'
import {
  ServingFenced,
  type ServingStore,
  type ServingTable,
  type SinkBatch,
  type SinkRow,
} from '../../src/stores/serving.ts'

/** One of the tables that every store has. */
const found = servedTables().find(({ name }) => name === 'product_sales')
assert.ok(found !== undefined)
export const table: ServingTable = found

/** Cells of `product_sales` as they must come back. */
export function row(
  key: string,
  offset: number,
  values: Readonly<Record<string, SinkRow['cells'][number]>>,
  of: ServingTable = table,
): SinkRow {
  const cells = of.columns.map(({ name, type, nullable }) => {
    if (name in values) return values[name]!
    if (nullable) return null
    switch (type.kind) {
      case 'timestamp':
        return '2026-11-21T10:00:00.000Z'
      case 'text':
        return 'x'
      case 'boolean':
        return false
      case 'json':
        return '["a",{"b":1}]'
      default:
        return 0
    }
  })
  return { key, offset, evidence: '[[0,1,2]]', cells }
}
const batch = (epoch: number, from: number, to: number, rows: SinkRow[], more: Partial<SinkBatch> = {}): SinkBatch => ({
  table,
  partition: 0,
  from,
  to,
  isFirst: from === 0,
  epoch,
  rows,
  deleted: [],
  ...more,
})
const all = { table, where: {}, after: null, limit: 1_000 } as const
const money = table.columns.find(({ type }) => type.kind === 'minor')!.name
const text = table.columns.find(({ type }) => type.kind === 'text')!.name
const time = table.time!

/** `open` gives the same database again and again. */
export function storeSuite(name: string, open: () => Promise<ServingStore>): void {
  const withStore =
    (work: (store: ServingStore, t: TestContext | SuiteContext) => Promise<void>) => async (t: TestContext) => {
      const store = await open()
      try {
        await store.clear(table)
        await work(store, t)
      } finally {
        await store.close()
      }
    }

  test(
    `${name}: rows come back as they went in, to the last digit`,
    withStore(async (store) => {
      const { epoch } = await store.takeOver(table, 'topic-1')
      const huge = 9_007_199_254_740_993n
      const at = '2026-11-21T10:11:12.345Z'
      const nasty = `O'Reilly "€" \u{1F600} \\ $1 {a,b} <script>`
      await store.apply(
        batch(epoch, 0, 3, [
          row('a', 0, { [money]: 1_234, [text]: nasty, [time]: at }),
          row('b', 1, { [money]: huge, [time]: '2026-11-21T10:11:13.000Z' }),
          row('c', 2, { [money]: -1, [time]: '2026-11-21T10:11:11.000Z' }),
        ]),
      )
      const rows = await store.rows(all)
      assert.deepEqual(
        rows.map((each) => [each._key, each[money], each[time]]),
        [
          ['b', huge, '2026-11-21T10:11:13.000Z'],
          ['a', 1_234, at],
          ['c', -1, '2026-11-21T10:11:11.000Z'],
        ],
      )
      assert.equal(rows[1]?.[text], nasty)
      assert.equal(rows[1]?._offset, 0)
      assert.deepEqual(JSON.parse(String(rows[1]?._evidence)), [[0, 1, 2]])
      assert.equal((await store.counts([table])).get(table.name), 3)
    }),
  )

  test(
    `${name}: a newer record of a key replaces the row, a null takes it back`,
    withStore(async (store) => {
      const { epoch } = await store.takeOver(table, 'topic-1')
      await store.apply(batch(epoch, 0, 2, [row('a', 0, { [money]: 1 }), row('b', 1, { [money]: 2 })]))
      await store.apply(batch(epoch, 2, 4, [row('a', 2, { [money]: 3 })], { deleted: ['b', 'never there'] }))
      const rows = await store.rows(all)
      assert.deepEqual(
        rows.map((each) => [each._key, each[money], each._offset]),
        [['a', 3, 2]],
      )
    }),
  )

  test(
    `${name}: the same records a second time, or others in between, are refused and change nothing`,
    withStore(async (store) => {
      const { epoch } = await store.takeOver(table, 'topic-1')
      const first = batch(epoch, 0, 2, [row('a', 0, { [money]: 1 })])
      await store.apply(first)
      const refused =
        (reason: string) =>
        (error: unknown): boolean =>
          error instanceof ServingFenced && error.reason === reason
      await assert.rejects(store.apply(first), refused('position'))
      await assert.rejects(store.apply(batch(epoch, 5, 6, [row('z', 5, {})])), refused('position'))
      await assert.rejects(store.apply(batch(epoch, 1, 6, [row('z', 5, {})])), refused('position'))
      assert.deepEqual(
        (await store.rows(all)).map((each) => each._key),
        ['a'],
      )
      await store.apply(batch(epoch, 2, 3, [row('b', 2, {})]))
      assert.equal((await store.rows(all)).length, 2)
    }),
  )

  test(
    `${name}: who takes a table over fences whoever had it, and knows where to go on`,
    withStore(async (store) => {
      const old = await store.takeOver(table, 'topic-1')
      await store.apply(batch(old.epoch, 0, 2, [row('a', 0, {})]))
      await store.apply(batch(old.epoch, 0, 7, [row('q', 0, {})], { partition: 2, isFirst: true }))
      const other = await open()
      try {
        const owner = await other.takeOver(table, 'topic-1')
        assert.ok(owner.epoch > old.epoch)
        assert.deepEqual([...owner.next].toSorted(), [
          [0, 2],
          [2, 7],
        ])
        await assert.rejects(
          store.apply(batch(old.epoch, 2, 3, [row('z', 2, {})])),
          (error) => error instanceof ServingFenced && error.reason === 'owner',
        )
        await other.apply(batch(owner.epoch, 2, 3, [row('b', 2, {})]))
        assert.deepEqual((await store.rows(all)).map((each) => each._key).toSorted(), ['a', 'b', 'q'])
      } finally {
        await other.close()
      }
    }),
  )

  test(
    `${name}: a topic that was made anew starts with an empty table; an emptied table starts over`,
    withStore(async (store) => {
      const first = await store.takeOver(table, 'topic-1')
      await store.apply(batch(first.epoch, 0, 2, [row('a', 0, {})]))
      const second = await store.takeOver(table, 'topic-2')
      assert.equal(second.next.size, 0)
      assert.deepEqual(await store.rows(all), [])
      await store.apply(batch(second.epoch, 0, 2, [row('b', 0, {})]))
      await store.clear(table)
      await assert.rejects(
        store.apply(batch(second.epoch, 2, 3, [row('c', 2, {})])),
        (error) => error instanceof ServingFenced && error.reason === 'position',
      )
      assert.equal((await store.takeOver(table, 'topic-2')).next.size, 0)
    }),
  )

  test(
    `${name}: pages newest first, filters by what columns hold`,
    withStore(async (store) => {
      const { epoch } = await store.takeOver(table, 'topic-1')
      const at = (n: number): string => new Date(Date.UTC(2026, 10, 21, 10, 0, Math.floor(n / 3))).toISOString()
      const rows = Array.from({ length: 50 }, (_, n) =>
        row(`key ${n}`, n, { [time]: at(n), [text]: n % 2 === 0 ? 'even' : `odd's` }),
      )
      await store.apply(batch(epoch, 0, 50, rows))
      const seen: unknown[] = []
      let after: { time: string | null; key: string } | null = null
      for (;;) {
        const page = await store.rows({ table, where: { [text]: `odd's` }, after, limit: 7 })
        seen.push(...page.map((each) => each._key))
        const last = page.at(-1)
        if (last === undefined || page.length < 7) break
        after = { time: String(last[time]), key: String(last._key) }
      }
      assert.equal(seen.length, 25)
      assert.equal(new Set(seen).size, 25)
      assert.deepEqual(
        seen.toSorted(),
        rows
          .filter((_, n) => n % 2 === 1)
          .map(({ key }) => key)
          .toSorted(),
      )
    }),
  )

  test(
    `${name}: every table of the house takes its rows`,
    withStore(async (store) => {
      for (const each of servedTables()) {
        const { epoch } = await store.takeOver(each, `topic of ${each.name}`)
        await store.clear(each)
        const rows = [row('first', 0, {}, each), row('second', 1, {}, each)]
        await store.apply(batch(epoch, 0, 2, rows, { table: each, deleted: ['none'] }))
        await store.apply(batch(epoch, 2, 3, [row('first', 2, {}, each)], { table: each }))
        const found = await store.rows({ ...all, table: each })
        assert.deepEqual(found.map((one) => one._offset).toSorted(), [1, 2], each.name)
      }
    }),
  )
}
