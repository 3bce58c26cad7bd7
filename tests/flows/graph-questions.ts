// Questions over three small topics, each as a Plan and as a recomputation with plain arrays that shares nothing with any
// engine; and random records to ask them of. Amounts are cents.
import { contract, field, nullable } from '../../src/query/contract.ts'
import type { Plan } from '../../src/query/plan.ts'
import { argmax, count, countDistinct, first, from, last, max, newestOf, sum, tumbling } from '../../src/query/query.ts'
import type { RandomStream } from '../../src/std/random.ts'
import type { PlainRow, PlainValue } from './duckdb-values.ts'

const money = { kind: 'money', scale: 2, currency: 'EUR' } as const
const common = {
  version: 1,
  partitions: 2,
  eventTime: 'at',
  outOfOrderMs: 0,
  idleTimeoutMs: 1000,
  futureLimitMs: 1000,
} as const
export const orders = contract({
  ...common,
  topic: 'orders',
  key: 'who',
  doc: 'test events',
  fields: {
    who: nullable({ kind: 'string' }, 'customer'),
    amount: nullable(money, 'paid'),
    items: nullable(
      {
        kind: 'array',
        of: {
          kind: 'struct',
          fields: { sku: field({ kind: 'string' }, 'what'), pieces: nullable({ kind: 'int64' }, 'how many') },
        },
      },
      'bought',
    ),
    at: field({ kind: 'timestamp' }, 'when'),
  },
})
export const visits = contract({
  ...common,
  topic: 'visits',
  key: 'visitor',
  doc: 'test events',
  fields: {
    visitor: nullable({ kind: 'string' }, 'customer'),
    page: field({ kind: 'string' }, 'seen'),
    seen: field({ kind: 'timestamp' }, 'when'),
  },
  eventTime: 'seen',
})
export const people = contract({
  ...common,
  topic: 'people',
  partitions: 1,
  key: 'name',
  doc: 'a table',
  fields: {
    name: field({ kind: 'string' }, 'customer'),
    city: nullable({ kind: 'string' }, 'where'),
    at: field({ kind: 'timestamp' }, 'when'),
  },
})
export const topics = [orders, visits, people]

interface Order {
  readonly who: string | null
  readonly amount: number | null
  readonly items: readonly { readonly sku: string; readonly pieces: number | null }[] | null
  readonly at: number
}
interface Visit {
  readonly visitor: string | null
  readonly page: string
  readonly at: number
}
interface Person {
  readonly name: string
  readonly city: string | null
  readonly at: number
}
export type Sent = { readonly partition: number } & (
  | { readonly topic: 'orders'; readonly row: Order }
  | { readonly topic: 'visits'; readonly row: Visit }
  | { readonly topic: 'people'; readonly row: Person }
)
export interface Made {
  readonly plan: Plan
  /** Whole figures as bigint, as the rows of the engines are compared. */
  readonly naive: (sent: readonly Sent[]) => PlainRow[]
}

const startMs = Date.UTC(2026, 0, 1)

export function recordsOf(random: RandomStream): Sent[] {
  const sent: Sent[] = []
  const name = (): string => `n${random.below(4)}`
  const stepMs = [2, 50, 900][random.below(3)]!
  let nowMs = startMs
  // The table first: what it says in between is told by the order of the log, which files do not keep.
  for (let i = 0; i < random.below(12); i++)
    sent.push({
      topic: 'people',
      partition: 0,
      row: { name: name(), city: random.below(4) === 0 ? null : `c${random.below(3)}`, at: nowMs },
    })
  for (let i = 0; i < 20 + random.below(80); i++) {
    nowMs += random.below(stepMs)
    const at = nowMs - random.below(stepMs * 4)
    const partition = random.below(2)
    const who = random.below(8) === 0 ? null : name()
    if (random.below(2) === 0)
      sent.push({ topic: 'visits', partition, row: { visitor: who, page: `p${random.below(3)}`, at } })
    else {
      const items = Array.from({ length: random.below(4) }, () => ({
        sku: `s${random.below(3)}`,
        pieces: random.below(5) === 0 ? null : random.below(9) - 2,
      }))
      const amount = random.below(6) === 0 ? null : random.below(10_000)
      sent.push({ topic: 'orders', partition, row: { who, amount, items: random.below(6) === 0 ? null : items, at } })
    }
  }
  return sent
}

export function textOf(sent: Sent): string {
  const time = (ms: number): string => new Date(ms).toISOString()
  switch (sent.topic) {
    case 'orders': {
      const { who, amount, items, at } = sent.row
      return JSON.stringify({ who, ...(amount === null ? {} : { amount: amount / 100 }), items, at: time(at) })
    }
    case 'visits':
      return JSON.stringify({ visitor: sent.row.visitor, page: sent.row.page, seen: time(sent.row.at) })
    case 'people':
      return JSON.stringify({ ...sent.row, at: time(sent.row.at) })
  }
}

// --- plain arrays ---

const whole = (value: number | null): bigint | null => (value === null ? null : BigInt(value))
/** In the order of partitions and offsets, which decides between records of one time. */
function rowsOf(sent: readonly Sent[], topic: 'orders'): Order[]
function rowsOf(sent: readonly Sent[], topic: 'visits'): Visit[]
function rowsOf(sent: readonly Sent[], topic: 'people'): Person[]
function rowsOf(sent: readonly Sent[], topic: Sent['topic']): Sent['row'][] {
  const of = sent.filter((one) => one.topic === topic)
  return of.sort((a, b) => a.partition - b.partition).map(({ row }) => row)
}
const floor = (ms: number, sizeMs: number): number => Math.floor(ms / sizeMs) * sizeMs
function groupedBy<T>(rows: readonly T[], keyOf: (row: T) => string): T[][] {
  const groups = new Map<string, T[]>()
  for (const row of rows) groups.set(keyOf(row), [...(groups.get(keyOf(row)) ?? []), row])
  return [...groups.values()]
}
const sumOf = (values: readonly (number | null)[]): number | null => {
  const known = values.filter((value) => value !== null)
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0)
}
const maxOf = (values: readonly (number | null)[]): number | null => {
  const known = values.filter((value) => value !== null)
  return known.length === 0 ? null : Math.max(...known)
}

// --- questions ---

const oneOf = <T>(random: RandomStream, values: readonly T[]): T => values[random.below(values.length)]!
const order = (row: Order): Record<string, PlainValue> => ({
  who: row.who,
  amount: whole(row.amount),
  at: whole(row.at),
})
const visit = (row: Visit | null): Record<string, PlainValue> => ({
  page: row?.page ?? null,
  seen: whole(row?.at ?? null),
})
const paid = from(orders).select('who', 'amount', 'at')

const questions = {
  'interval join': (random) => {
    const side = oneOf(random, ['inner', 'left'] as const)
    const [beforeMs, afterMs] = [oneOf(random, [0, 1, 40, 3000]), oneOf(random, [0, 1, 40, 3000])]
    const plan = paid
      .join(from(visits), { how: 'interval', side, on: { who: 'visitor' }, beforeMs, afterMs })
      .named('interval-join')
    const naive: Made['naive'] = (sent) =>
      rowsOf(sent, 'orders').flatMap((left) => {
        const near = rowsOf(sent, 'visits').filter(
          (right) =>
            right.visitor !== null &&
            right.visitor === left.who &&
            right.at >= left.at - beforeMs &&
            right.at <= left.at + afterMs,
        )
        const found = near.length === 0 && side === 'left' ? [null] : near
        return found.map((right) => ({ ...order(left), visitor: right?.visitor ?? null, ...visit(right) }))
      })
    return { plan, naive }
  },
  'latest join': (random) => {
    const side = oneOf(random, ['inner', 'left'] as const)
    const withinMs = oneOf(random, [0, 1, 40, 3000])
    const plan = paid
      .join(from(visits), { how: 'latest', side, on: { who: 'visitor' }, ...(withinMs === 0 ? {} : { withinMs }) })
      .named('latest-join')
    const naive: Made['naive'] = (sent) =>
      rowsOf(sent, 'orders').flatMap((left) => {
        const before = rowsOf(sent, 'visits')
          .filter((right) => right.visitor !== null && right.visitor === left.who && right.at <= left.at)
          .sort((a, b) => a.at - b.at)
          .at(-1)
        const right = before === undefined || (withinMs > 0 && left.at - before.at > withinMs) ? null : before
        if (right === null && side === 'inner') return []
        return [{ ...order(left), visitor: right?.visitor ?? null, ...visit(right) }]
      })
    return { plan, naive }
  },
  'window join': (random) => {
    const side = oneOf(random, ['inner', 'left'] as const)
    const sizeMs = oneOf(random, [10, 500, 5000])
    const window = tumbling({ sizeMs })
    const plan = from(orders)
      .window(window)
      .groupBy('who')
      .aggregate((o) => ({ n: count(), revenue: sum(o.amount) }))
      .join(
        from(visits)
          .window(window)
          .groupBy('visitor')
          .aggregate((v) => ({ views: count(), newest: max(v.seen) })),
        { side, on: { who: 'visitor' } },
      )
      .named('window-join')
    const naive: Made['naive'] = (sent) => {
      const views = groupedBy(rowsOf(sent, 'visits'), (row) => JSON.stringify([floor(row.at, sizeMs), row.visitor]))
      return groupedBy(rowsOf(sent, 'orders'), (row) => JSON.stringify([floor(row.at, sizeMs), row.who])).flatMap(
        (rows) => {
          const [{ who, at }] = rows as [Order]
          const start = floor(at, sizeMs)
          const seen = views.find(([one]) => who !== null && one!.visitor === who && floor(one!.at, sizeMs) === start)
          if (seen === undefined && side === 'inner') return []
          const row: PlainRow = {
            window_start: whole(start),
            window_end: whole(start + sizeMs),
            who,
            n: whole(rows.length),
            revenue: whole(sumOf(rows.map(({ amount }) => amount))),
            visitor: seen?.at(0)?.visitor ?? null,
            views: whole(seen?.length ?? null),
            newest: whole(seen === undefined ? null : maxOf(seen.map((one) => one.at))),
          }
          return [row]
        },
      )
    }
    return { plan, naive }
  },
  union: (random) => {
    const sizeMs = oneOf(random, [10, 500, 5000])
    const both = from(orders)
      .select('who', 'at')
      .union(from(visits).rename({ visitor: 'who', seen: 'at' }).select('who', 'at'))
    const plan = both
      .window(tumbling({ sizeMs }))
      .groupBy('who')
      .aggregate((e) => ({ n: count(), newest: max(e.at) }))
      .named('union')
    const naive: Made['naive'] = (sent) => {
      const all = [
        ...rowsOf(sent, 'orders').map(({ who, at }) => ({ who, at })),
        ...rowsOf(sent, 'visits').map(({ visitor, at }) => ({ who: visitor, at })),
      ]
      return groupedBy(all, (row) => JSON.stringify([floor(row.at, sizeMs), row.who])).map((rows) => {
        const start = floor(rows[0]!.at, sizeMs)
        return {
          window_start: whole(start),
          window_end: whole(start + sizeMs),
          who: rows[0]!.who,
          n: whole(rows.length),
          newest: whole(maxOf(rows.map(({ at }) => at))),
        }
      })
    }
    return { plan, naive }
  },
  unnest: (random) => {
    const sizeMs = oneOf(random, [10, 500, 5000])
    const windowed = random.below(2) === 0
    const items = from(orders).select('who', 'items', 'at').unnest('items')
    const plan = windowed
      ? items
          .window(tumbling({ sizeMs }))
          .groupBy('sku')
          .aggregate((i) => ({ n: count(), pieces: sum(i.pieces) }))
          .named('unnest')
      : items.filter((i) => i.pieces.above(0).or(i.who.isNull())).named('unnest')
    const naive: Made['naive'] = (sent) => {
      const all = rowsOf(sent, 'orders').flatMap(({ who, at, items }) =>
        (items ?? []).map((item) => ({ who, at, ...item })),
      )
      if (!windowed)
        return all
          .filter(({ who, pieces }) => (pieces !== null && pieces > 0) || who === null)
          .map(({ who, at, sku, pieces }) => ({ who, at: whole(at), sku, pieces: whole(pieces) }))
      return groupedBy(all, (row) => JSON.stringify([floor(row.at, sizeMs), row.sku])).map((rows) => {
        const start = floor(rows[0]!.at, sizeMs)
        return {
          window_start: whole(start),
          window_end: whole(start + sizeMs),
          sku: rows[0]!.sku,
          n: whole(rows.length),
          pieces: whole(sumOf(rows.map(({ pieces }) => pieces))),
        }
      })
    }
    return { plan, naive }
  },
  'newest of a topic': (random) => {
    const unknown = oneOf(random, ['drop', 'null'] as const)
    const table = newestOf(from(people).select('name', 'city', 'at').rename({ at: 'moved' }), { key: 'name' })
    const plan = paid.lookup(table, { by: 'who', unknown }).named('newest')
    const naive: Made['naive'] = (sent) =>
      rowsOf(sent, 'orders').flatMap((left) => {
        const person = rowsOf(sent, 'people').findLast(({ name }) => name === left.who)
        if (person === undefined && unknown === 'drop') return []
        return [{ ...order(left), city: person?.city ?? null, moved: whole(person?.at ?? null) }]
      })
    return { plan, naive }
  },
  'running group-by': (random) => {
    const grouped = random.below(3) > 0
    const plan = (grouped ? from(orders).groupBy('who') : from(orders))
      .aggregate((o) => ({ n: count(), revenue: sum(o.amount), newest: max(o.at), dearest: argmax(o.who, o.amount) }))
      .named('running')
    const naive: Made['naive'] = (sent) =>
      groupedBy(rowsOf(sent, 'orders'), ({ who }) => (grouped ? JSON.stringify(who) : '')).map((rows) => {
        const known = rows.filter(({ who, amount }) => who !== null && amount !== null)
        const most = maxOf(known.map(({ amount }) => amount))
        const dearest = known.filter(({ amount }) => amount === most).sort((a, b) => a.at - b.at)
        return {
          ...(grouped ? { who: rows[0]!.who } : {}),
          n: whole(rows.length),
          revenue: whole(sumOf(rows.map(({ amount }) => amount))),
          newest: whole(maxOf(rows.map(({ at }) => at))),
          dearest: dearest[0]?.who ?? null,
        }
      })
    return { plan, naive }
  },
  'range at each row': (random) => {
    const rangeMs = oneOf(random, [1, 7, 300, 4000])
    const by = oneOf(random, [['who'], []] as const)
    const plan = paid
      .over({ by, rangeMs }, (o) => ({
        n: count(),
        known: count(o.amount),
        revenue: sum(o.amount),
        dear: count(null, { where: o.amount.above('50') }),
        people: countDistinct(o.who),
        most: max(o.amount),
        oldest: first(o.amount),
        newest: last(o.amount),
      }))
      .named('range')
    const naive: Made['naive'] = (sent) => {
      const all = rowsOf(sent, 'orders')
      return all.map((row) => {
        const seen = all
          .filter(({ who, at }) => (by.length === 0 || who === row.who) && at > row.at - rangeMs && at <= row.at)
          .sort((a, b) => a.at - b.at)
        const amounts = seen.flatMap(({ amount }) => amount ?? [])
        return {
          ...order(row),
          n: whole(seen.length),
          known: whole(amounts.length),
          revenue: whole(sumOf(amounts)),
          dear: whole(amounts.filter((amount) => amount > 5000).length),
          people: whole(new Set(seen.flatMap(({ who }) => who ?? [])).size),
          most: whole(maxOf(amounts)),
          oldest: whole(amounts[0] ?? null),
          newest: whole(amounts.at(-1) ?? null),
        }
      })
    }
    return { plan, naive }
  },
  'decayed sum': (random) => {
    const halfLifeMs = oneOf(random, [1, 20, 500, 60_000])
    const plan = paid.decayedSum('heat', { by: ['who'], of: (o) => o.amount, halfLifeMs }).named('decayed')
    const naive: Made['naive'] = (sent) => {
      const all = rowsOf(sent, 'orders')
      return all.map((row) => {
        const felt = all.filter(({ who, at }) => who === row.who && at <= row.at)
        const parts = felt.map(({ amount, at }) => ((amount ?? 0) / 100) * 2 ** ((at - row.at) / halfLifeMs))
        return { ...order(row), heat: parts.reduce((sum, part) => sum + part, 0) }
      })
    }
    return { plan, naive }
  },
} satisfies { readonly [name: string]: (random: RandomStream) => Made }

export type QuestionName = keyof typeof questions
export const questionNames = Object.keys(questions) as readonly QuestionName[]
export function questionOf(name: QuestionName, random: RandomStream): Made {
  return questions[name](random)
}
