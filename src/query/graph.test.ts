// Queries of several stages and topics: what is inferred, what must not compile, what is refused with its place and cure,
// and the Plan as versioned JSON.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { contract, field, nullable } from './contract.ts'
import { count, explain, from, hours, max, minutes, newestOf, sum, tumbling } from './query.ts'

const cents = { kind: 'money', scale: 2, currency: 'USD' } as const
const orders = contract({
  topic: 'orders',
  version: 3,
  partitions: 2,
  key: 'order',
  eventTime: 'at',
  identity: 'order',
  outOfOrderMs: 5000,
  idleTimeoutMs: 30_000,
  futureLimitMs: 3_600_000,
  doc: 'what was ordered',
  fields: {
    order: field({ kind: 'string' }, 'identity'),
    customer: field({ kind: 'string' }, 'who'),
    amount: field(cents, 'in all'),
    at: field({ kind: 'timestamp' }, 'when'),
    items: field(
      {
        kind: 'array',
        of: {
          kind: 'struct',
          fields: { product: field({ kind: 'string' }, 'what'), price: nullable(cents, 'for one') },
        },
      },
      'lines',
    ),
  },
})
const payments = contract({
  topic: 'payments',
  version: 1,
  partitions: 1,
  key: 'order',
  eventTime: 'paid_at',
  outOfOrderMs: 5000,
  idleTimeoutMs: 30_000,
  futureLimitMs: 3_600_000,
  doc: 'what was paid',
  fields: {
    order: field({ kind: 'string' }, 'which order'),
    card: nullable({ kind: 'string' }, 'with what'),
    offset: field({ kind: 'int64' }, 'in some file'),
    paid_at: field({ kind: 'timestamp' }, 'when'),
  },
})

const perMinute = from(orders)
  .window(tumbling({ sizeMs: minutes(1) }))
  .groupBy('customer')
  .aggregate((o) => ({ spent: sum(o.amount), orders: count() }))
const paid = from(orders).join(from(payments), {
  how: 'interval',
  side: 'left',
  on: { order: 'order' },
  beforeMs: 0,
  afterMs: minutes(30),
})

test('explain prints both sides of a join, each under its own indent', () => {
  const plan = paid.select('order', 'amount', 'card').named('paid-orders')
  const [left, right, join, only] = plan.nodes.map(({ id }) => id)
  assert.equal(
    explain(plan),
    `plan paid-orders (version 1)
  emit      on close
  lateness  0 s
  output    paid-orders, times as iso-seconds

project #${only}
  only order, amount, card
  changelog append; time none; order none; merges; evidence record
  | order: string
  | amount: money(2 decimals, USD)
  | card: string or null

join #${join}
  interval, left, on order = order
  from 0 s before to 30 min after
  changelog append; time at; order none; one thread; evidence record
  | order: string
  | amount: money(2 decimals, USD)
  | at: timestamp
  | card: string or null

  source #${left}
    topic orders, contract version 3, event time at
    out of order 5 s, idle after 30 s, future limit 1 h
    changelog append; time at; order none; merges; evidence record
    | order: string
    | amount: money(2 decimals, USD)
    | at: timestamp

  source #${right}
    topic payments, contract version 1, event time paid_at
    out of order 5 s, idle after 30 s, future limit 1 h
    changelog append; time paid_at; order none; merges; evidence record
    | order: string
    | card: string or null
    | paid_at: timestamp
`,
  )
})

test('a plan as JSON: the form that other releases and engines read', () => {
  const plan = perMinute
    .filter((row) => row.orders.above(1))
    .window(tumbling({ sizeMs: hours(1) }))
    .aggregate((row) => ({ best: max(row.spent) }))
    .named('golden')
  const { version, name, emit, latenessMs, output, nodes } = JSON.parse(JSON.stringify(plan)) as typeof plan
  assert.deepEqual(
    { version, name, emit, latenessMs, output },
    {
      version: 1,
      name: 'golden',
      emit: { mode: 'on-close' },
      latenessMs: 0,
      output: { topic: null, times: 'iso-seconds', finalColumn: null },
    },
  )
  const time = { kind: 'timestamp' }
  const bounds = [
    { name: 'window_start', type: time, nullable: false },
    { name: 'window_end', type: time, nullable: false },
  ]
  const rows = [
    ...bounds,
    { name: 'customer', type: { kind: 'string' }, nullable: false },
    { name: 'spent', type: cents, nullable: false },
    { name: 'orders', type: { kind: 'int64' }, nullable: false },
  ]
  const key = ['window_start', 'window_end', 'customer']
  const of = (column: string, type: object) => ({ op: 'column', name: column, type })
  assert.deepEqual(
    nodes.map(({ id, inputs, ...node }) => node),
    [
      {
        kind: 'source',
        topic: 'orders',
        contractVersion: 3,
        eventTime: 'at',
        outOfOrderMs: 5000,
        idleTimeoutMs: 30_000,
        futureLimitMs: 3_600_000,
        columns: [
          { name: 'customer', type: { kind: 'string' }, nullable: false },
          { name: 'amount', type: cents, nullable: false },
          { name: 'at', type: time, nullable: false },
        ],
        changelog: { mode: 'append' },
        time: 'at',
        order: 'none',
        merges: true,
        evidence: 'record',
      },
      {
        kind: 'window-aggregate',
        window: { kind: 'tumbling', sizeMs: 60_000 },
        groups: ['customer'],
        aggregates: [
          { name: 'spent', aggregate: { function: 'sum', of: of('amount', cents), where: null } },
          { name: 'orders', aggregate: { function: 'count', of: null, where: null } },
        ],
        columns: rows,
        changelog: { mode: 'upsert', key },
        time: 'window_end',
        order: 'partition',
        merges: true,
        evidence: 'partition-and-pane',
      },
      {
        kind: 'filter',
        condition: {
          op: 'compare',
          by: '>',
          left: of('orders', { kind: 'int64' }),
          right: { op: 'literal', value: 1, type: { kind: 'int64' } },
        },
        columns: rows,
        changelog: { mode: 'upsert', key },
        time: 'window_end',
        order: 'none',
        merges: true,
        evidence: 'partition-and-pane',
      },
      {
        kind: 'window-aggregate',
        window: { kind: 'tumbling', sizeMs: 3_600_000 },
        groups: [],
        aggregates: [{ name: 'best', aggregate: { function: 'max', of: of('spent', cents), where: null } }],
        columns: [...bounds, { name: 'best', type: cents, nullable: false }],
        changelog: { mode: 'upsert', key: ['window_start', 'window_end'] },
        time: 'window_end',
        order: 'partition',
        merges: true,
        evidence: 'partition-and-pane',
      },
    ],
  )
  assert.deepEqual(
    nodes.map(({ inputs }) => inputs),
    [[], [nodes[0]?.id], [nodes[1]?.id], [nodes[2]?.id]],
  )
})

test('a sub-query that is used twice is one node; two that are equal are one, too', () => {
  const late = perMinute.filter((row) => row.orders.above(9)).rename({ spent: 'much', orders: 'many' })
  const again = from(orders)
    .window(tumbling({ sizeMs: minutes(1) }))
    .groupBy('customer')
    .aggregate((o) => ({ spent: sum(o.amount), orders: count() }))
  for (const left of [perMinute, again]) {
    const plan = left.join(late, { side: 'left', on: { customer: 'customer' } }).named('twice')
    assert.deepEqual(
      plan.nodes.map(({ kind }) => kind),
      ['source', 'window-aggregate', 'filter', 'project', 'join'],
    )
  }
})

test('rows are inferred through joins, lists, lookups and windows of windows; what is wrong does not compile', () => {
  const inferred = () => {
    const row = paid.named('x').rows
    const card: true | undefined = row?.card.nullable
    const amount: 'USD' | undefined = row?.amount.type.currency
    const lines = from(orders).unnest('items')
    const price: true | undefined = lines.named('x').rows?.price.nullable
    // @ts-expect-error the list is gone
    lines.select('items')
    // @ts-expect-error a list is no column to compute with
    from(orders).derive((o) => ({ x: o.items.plus(1) }))
    // @ts-expect-error not a list
    from(orders).unnest('amount')
    // @ts-expect-error joined on a column that is not there
    from(orders).join(from(payments), { how: 'latest', side: 'left', on: { order: 'ordr' } })
    // @ts-expect-error joined on columns of two types
    from(orders).join(from(payments), { how: 'latest', side: 'left', on: { order: 'offset' } })
    // @ts-expect-error a time joined with an offset
    from(orders).join(from(payments), { how: 'latest', side: 'left', on: { at: 'offset' } })
    // @ts-expect-error a time compared with an offset
    paid.filter((row) => row.at.above(row.offset))
    // @ts-expect-error an interval without its end
    from(orders).join(from(payments), { how: 'interval', side: 'inner', on: { order: 'order' }, beforeMs: 1 })
    // @ts-expect-error a table with a stream
    perMinute.join(from(payments), { side: 'inner', on: {} })
    // @ts-expect-error a sum of a text, in a window over a window
    perMinute.window(tumbling({ sizeMs: hours(1) })).aggregate((m) => ({ x: sum(m.customer) }))
    // @ts-expect-error a misspelt column of a window
    perMinute.filter((m) => m.spend.above(1))
    // @ts-expect-error columns that are not there
    from(orders).union(from(payments))
    const named = from(orders).rename({ amount: 'total' })
    // @ts-expect-error the old name
    named.filter((o) => o.amount.above(1))
    const prices = newestOf(from(payments), { key: 'order' })
    const found = from(orders).lookup(prices, { by: 'order', unknown: 'null' }).named('x').rows
    const looked: true | undefined = found?.offset.nullable
    // @ts-expect-error a key that is no text
    newestOf(from(payments), { key: 'offset' })
    return [card, amount, price, looked]
  }
  assert.equal(typeof inferred, 'function')
})

test('what the compiler cannot see is refused with its place and the cure', () => {
  const cases: readonly (readonly [() => unknown, RegExp])[] = [
    [
      () =>
        from(orders).join(from(payments).rename({ paid_at: 'at' }), {
          how: 'latest',
          side: 'left',
          on: { order: 'order' },
        }),
      /plan 'orders', join with 'payments': column 'at' is there already\. Rename it on one side before/,
    ],
    [
      () => from(orders).join(from(payments), { how: 'latest', side: 'left', on: {} }),
      /join with 'payments': no columns are equal\. Name the columns it is joined `on`/,
    ],
    [
      () =>
        from(orders).join(from(payments), {
          how: 'interval',
          side: 'left',
          on: { order: 'order' },
          beforeMs: -1,
          afterMs: 0,
        }),
      /beforeMs -1 is no time/,
    ],
    [
      () =>
        from(orders).join(from(payments).select('order', 'card'), {
          how: 'latest',
          side: 'left',
          on: { order: 'order' },
        }),
      /plan 'payments', join with 'payments': the right side has no time\. Keep the column of its event time/,
    ],
    [() => perMinute.select('window_start', 'spent'), /select: it loses 'window_end', a column of the table's key/],
    [
      () => perMinute.derive((m) => ({ customer: m.spent })),
      /derive: it loses 'customer', a column of the table's key/,
    ],
    [() => from(orders).rename({ amount: 'order' }), /rename: two columns are named 'order'\. Choose another name/],
    [
      () =>
        from(orders)
          .select('order', 'amount')
          .window(tumbling({ sizeMs: 1 }))
          .aggregate(() => ({ n: count() })),
      /plan 'orders', window: its rows have no time\. Keep the column of the event time/,
    ],
    [
      () => from(payments).top({ rows: 1, by: 'offset' }),
      /plan 'payments', top: nothing tells its rows apart\. Name the columns of their `key`/,
    ],
    [
      () =>
        from(orders)
          .select('order', 'at')
          .union(
            from(payments)
              .select('order', 'paid_at')
              .rename({ paid_at: 'then' })
              .derive((p) => ({ at: p.then })),
          ),
      /the event time is 'at' here and 'then' there\. Bring it under one name with `rename`/,
    ],
    [
      () => from(orders).lookup(newestOf(from(payments), { key: 'order' }), { by: 'order', unknown: 'dead-letter' }),
      /lookup in 'payments': what a topic does not hold yet is no fault of the record/,
    ],
    [() => paid.lateness(-1), /lateness: -1 is no time/],
  ]
  for (const [make, message] of cases) assert.throws(make, message)
})
