// E4 by cases and against brute force: funnels over random sessions equal a plain recomputation, carts that are left are told
// once, programs are told from people by what they do, spikes of views are one alert.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Reaction, ReactionValue } from '../../query/reaction.ts'
import { type RandomStream, randomStream } from '../../std/random.ts'
import { abandonedAfterMs, abandonedCarts } from './abandoned-carts.ts'
import { actsPlan, categoriesMax, entriesMax, funnelMonitor, funnelRules } from './funnel.ts'
import { trafficMonitor, viewsPlan, visitsMax } from './traffic.ts'

const startMs = Date.UTC(2026, 0, 5, 12)
const dayMs = 86_400_000
type Told = Readonly<Record<string, unknown>>
interface Act {
  readonly timestamp: number
  readonly session_id: string | null
  readonly event_type: string
  readonly user_id?: string
  readonly product_id?: string | null
  readonly category?: string | null
  readonly price?: number
  readonly ip_address?: string
}

function running<State>(reaction: Reaction<State>) {
  let state = reaction.initial()
  const told: { readonly key: string; readonly value: Told }[] = []
  const step = (input: Parameters<typeof reaction.step>[1]): void =>
    reaction.step(state, input, (_topic, key, value) => told.push({ key, value: value ?? {} }))
  return {
    told,
    get state() {
      return state
    },
    restart() {
      state = JSON.parse(JSON.stringify(state))
    },
    row: (plan: string, values: Record<string, ReactionValue>) =>
      step({ kind: 'row', plan, values, timing: 'on-time', final: true, weight: 1, evidence: [] }),
    act: (act: Act) =>
      step({
        kind: 'row',
        plan: actsPlan,
        values: { user_id: 'U1', product_id: null, category: null, ip_address: '10.0.0.1', ...act },
        timing: 'on-time',
        final: true,
        weight: 1,
        evidence: [],
      }),
    tick: (atMs: number) => step({ kind: 'tick', atMs }),
  }
}

/** Random sessions, in the order of time; products p0 to p5 in three categories. Purchases do not say the category. */
function randomActs(random: RandomStream): Act[] {
  const acts: Act[] = []
  let atMs = startMs
  for (let i = 0; i < 400; i++) {
    atMs += random.below(4) === 0 ? 0 : random.below(90_000)
    const product = random.below(6)
    const type = ['product_view', 'product_view', 'add_to_cart', 'purchase', 'search'][random.below(5)]!
    acts.push({
      timestamp: atMs,
      session_id: random.below(30) === 0 ? null : `s${random.below(12)}`,
      event_type: type,
      product_id: type === 'search' ? null : `p${product}`,
      category: type === 'search' || type === 'purchase' ? null : `c${product % 3}`,
    })
  }
  return acts
}
interface Plain {
  entered: number
  carted: number
  took: number[]
}
/** The funnel in the plainest way: each session and category from the beginning, entry by entry. */
function plainFunnel(acts: readonly Act[]): ReadonlyMap<string, Plain> {
  const found = new Map<string, Plain>()
  const sessions = new Set(acts.flatMap(({ session_id }) => session_id ?? []))
  for (const session of sessions)
    for (const category of [null, 'c0', 'c1', 'c2']) {
      const own = acts.filter(
        (act) =>
          act.session_id === session &&
          act.event_type !== 'search' &&
          (category === null || `c${Number(act.product_id?.slice(1)) % 3}` === category),
      )
      for (let i = 0; i < own.length; ) {
        const view = own[i]!
        if (view.event_type !== 'product_view') {
          i++
          continue
        }
        const endMs = view.timestamp + funnelRules.conversionMs
        let to = i
        while (to < own.length && own[to]!.timestamp < endMs) to++
        const within = own.slice(i + 1, to)
        const cart = within.findIndex(({ event_type }) => event_type === 'add_to_cart')
        const buy = cart < 0 ? undefined : within.slice(cart + 1).find(({ event_type }) => event_type === 'purchase')
        for (const sizeMs of funnelRules.sizesMs) {
          const id = `${sizeMs}/${Math.floor(view.timestamp / sizeMs) * sizeMs}/${category ?? ''}`
          const plain = found.get(id) ?? { entered: 0, carted: 0, took: [] }
          found.set(id, plain)
          plain.entered++
          if (cart >= 0) plain.carted++
          if (buy !== undefined) plain.took.push(buy.timestamp - view.timestamp)
        }
        i = to
      }
    }
  return found
}

describe('E4: sessions and funnel', () => {
  for (let seed = 1; seed <= 30; seed++)
    test(`views to carts to purchases equal a plain recomputation, seed ${seed}`, () => {
      const random = randomStream(`funnel/${seed}`)
      const acts = randomActs(random)
      // Categories are known from views: every product is looked at first, in another visit.
      const before = Array.from(
        { length: 6 },
        (_, i): Act => ({
          timestamp: startMs,
          session_id: 'first',
          event_type: 'product_view',
          product_id: `p${i}`,
          category: `c${i % 3}`,
        }),
      )
      const one = running(funnelMonitor())
      for (const act of [...before, ...acts]) {
        one.act(act)
        if (random.below(40) === 0) one.restart()
      }
      one.act({ timestamp: acts.at(-1)!.timestamp + 3 * 3_600_000, session_id: null, event_type: 'search' })
      const last = new Map(one.told.map(({ key, value }) => [key, value]))
      const plain = plainFunnel([...before, ...acts])
      assert.equal(last.size, plain.size)
      for (const value of last.values()) {
        const id = `${Number(value.size_seconds) * 1_000}/${Date.parse(String(value.window_start))}/${value.category ?? ''}`
        const expected = plain.get(id)
        assert.ok(expected !== undefined, id)
        const { entered, carted, took } = expected
        assert.deepEqual([value.entered, value.carted, value.purchased], [entered, carted, took.length], id)
        const sorted = took.toSorted((a, b) => a - b)
        const middle = sorted.length / 2
        const median =
          sorted.length === 0 ? null : (sorted[Math.ceil(middle) - 1]! + sorted[Math.floor(middle)]!) / 2_000
        assert.equal(value.median_seconds, median, id)
        const mean = took.length === 0 ? null : Math.round(took.reduce((sum, ms) => sum + ms, 0) / took.length) / 1_000
        assert.equal(value.mean_seconds, mean, id)
        assert.equal(value.is_final, true)
        assert.ok(Math.abs(Number(value.conversion) - took.length / entered) < 1e-6)
        assert.ok(Math.abs(Number(value.cart_drop_off) - (1 - carted / entered)) < 1e-6)
      }
    })
  test('running rows come each half minute, the last one is final; silence ends windows as well', () => {
    const one = running(funnelMonitor())
    one.act({ timestamp: startMs, session_id: 'a', event_type: 'product_view', product_id: 'p', category: 'c' })
    one.act({ timestamp: startMs + 31_000, session_id: 'a', event_type: 'add_to_cart', product_id: 'p', category: 'c' })
    const inAll = () => one.told.filter(({ value }) => value.category === null && value.size_seconds === 30)
    assert.deepEqual(
      inAll().map(({ value }) => [value.entered, value.carted, value.is_final]),
      [
        [1, 0, false],
        [1, 1, false],
      ],
    )
    for (let ms = 0; ms < 3_600_000; ms += 1_000) one.tick(startMs + 40_000 + ms)
    assert.deepEqual(inAll().at(-1)?.value.is_final, true)
  })
  test('entries and categories are bounded', () => {
    const one = running(funnelMonitor({ ...funnelRules, conversionMs: 10 * dayMs }))
    for (let i = 0; i < categoriesMax + 20; i++)
      one.act({
        timestamp: startMs + i,
        session_id: 'a',
        event_type: 'product_view',
        product_id: `p${i}`,
        category: `c${i}`,
      })
    assert.equal(Object.keys(one.state.categories).length, categoriesMax)
    for (let i = 0; i < entriesMax + 10; i++)
      one.act({ timestamp: startMs + i, session_id: `s${i}`, event_type: 'product_view' })
    assert.equal(one.state.entries.length, entriesMax)
    assert.ok(one.state.closedEarly >= 10)
  })
})

describe('E4: carts that are left', () => {
  const cart = (timestamp: number, session: string, user: string, product: string): Act => ({
    timestamp,
    session_id: session,
    user_id: user,
    event_type: 'add_to_cart',
    product_id: product,
    price: 10_00,
  })
  test('half an hour after the last thing put in, unless somebody paid', () => {
    const one = running(abandonedCarts())
    one.act(cart(startMs, 'left', 'U1', 'p1'))
    one.act(cart(startMs + 60_000, 'left', 'U1', 'p2'))
    one.act(cart(startMs + 60_000, 'left', 'U1', 'p1'))
    one.act(cart(startMs + 61_000, 'paid', 'U2', 'p1'))
    one.act({ timestamp: startMs + 90_000, session_id: null, user_id: 'U2', event_type: 'purchase', product_id: 'p1' })
    one.act({ timestamp: startMs + 60_000 + abandonedAfterMs, session_id: 'x', event_type: 'search' })
    assert.equal(one.told.length, 0, 'half an hour is not over before it is')
    one.act({ timestamp: startMs + 60_001 + abandonedAfterMs, session_id: 'x', event_type: 'search' })
    assert.deepEqual(
      one.told.map(({ value }) => [value.session_id, value.product_ids, value.value]),
      [['left', ['p1', 'p2'], 20]],
    )
  })
  test('random visits: the same carts as a plain search finds', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const random = randomStream(`carts/${seed}`)
      const acts = randomActs(random).map((act) => ({ ...act, user_id: `U${act.session_id ?? '9'}` }))
      const endMs = acts.at(-1)!.timestamp + dayMs
      const one = running(abandonedCarts())
      for (const act of acts) one.act(act)
      one.act({ timestamp: endMs, session_id: 'x', event_type: 'search' })
      const plain = new Set<string>()
      acts.forEach((act, i) => {
        if (act.event_type !== 'add_to_cart' || act.session_id === null) return
        const next = acts
          .slice(i + 1)
          .find(
            (other) =>
              other.timestamp <= act.timestamp + abandonedAfterMs &&
              ((other.event_type === 'add_to_cart' && other.session_id === act.session_id) ||
                (other.event_type === 'purchase' && other.user_id === act.user_id)),
          )
        if (next === undefined) plain.add(`${act.session_id}/${act.timestamp}`)
      })
      const told = one.told.map(({ value }) => `${value.session_id}/${Date.parse(String(value.last_cart_at))}`)
      assert.deepEqual(told.toSorted(), [...plain].sort(), `seed ${seed}`)
    }
  })
})

describe("E4: visits that are no person's", () => {
  const kinds: readonly (readonly [string, (i: number) => Omit<Act, 'session_id'>])[] = [
    [
      'scraper',
      (i) => ({
        timestamp: startMs + i * 600,
        event_type: 'product_view',
        product_id: `P${String(i % 10).padStart(3, '0')}`,
      }),
    ],
    [
      'price-watcher',
      (i) => ({ timestamp: startMs + i * 60_000 + (i % 3) * 300, event_type: 'product_view', product_id: 'P001' }),
    ],
    [
      'carter',
      (i) => ({
        timestamp: startMs + i * 4_000,
        event_type: i % 2 ? 'add_to_cart' : 'product_view',
        product_id: `P00${i % 5}`,
      }),
    ],
    ['credential-stuffer', (i) => ({ timestamp: startMs + i * 700, event_type: 'login_failed', user_id: `U${i}` })],
  ]
  for (const [kind, make] of kinds)
    test(`a ${kind} is told once, early, with what gave it away`, () => {
      const one = running(trafficMonitor())
      for (let i = 0; i < 30; i++) one.act({ ...make(i), session_id: 'bot' })
      assert.deepEqual(
        one.told.map(({ value }) => value.kind),
        [kind],
      )
      const { value } = one.told[0]!
      assert.ok(Number(value.acts) <= 12 && Number(value.score) >= 0.5)
      assert.match(String(value.sentence), /^BOT: visit bot is no person/)
      assert.equal(value.session_id, 'bot')
    })
  test('people are not told: slow, irregular, or buying', () => {
    const random = randomStream('people')
    const one = running(trafficMonitor())
    for (let person = 0; person < 300; person++) {
      let atMs = startMs + person * 1_000
      for (let i = 0; i < 25; i++) {
        const type = random.float() < 0.06 ? 'add_to_cart' : random.float() < 0.2 ? 'search' : 'product_view'
        one.act({
          timestamp: atMs,
          session_id: `p${person}`,
          user_id: `U${person}`,
          event_type: type,
          product_id: `P00${random.below(10)}`,
          ip_address: `10.0.0.${person}`,
        })
        atMs += 3_000 + Math.round(60_000 * random.float() ** 2)
      }
    }
    assert.deepEqual(one.told, [])
  })
  test('an address whose many visits are each too short to tell is told as one', () => {
    const one = running(trafficMonitor())
    for (let i = 0; i < 120; i++)
      one.act({
        timestamp: startMs + i * 500,
        session_id: `s${Math.floor(i / 5)}`,
        event_type: 'product_view',
        product_id: `P00${i % 10}`,
        ip_address: '52.1.2.3',
      })
    assert.deepEqual(
      one.told.map(({ value }) => [value.kind, value.session_id, value.ip_address]),
      [['scraper', null, '52.1.2.3']],
    )
  })
  test('visits are bounded, and the state survives JSON', () => {
    const one = running(trafficMonitor())
    for (let i = 0; i < visitsMax + 100; i++)
      one.act({ timestamp: startMs + i, session_id: `s${i}`, event_type: 'search', ip_address: `a${i}` })
    const { young, old } = one.state.visits
    assert.ok(Object.keys(young).length + Object.keys(old).length <= visitsMax)
    assert.deepEqual(JSON.parse(JSON.stringify(one.state)), one.state)
  })
})

test('E4: a spike of views is one alert, and over when it is', () => {
  const random = randomStream('views')
  const one = running(trafficMonitor())
  const minutes = 3 * 24 * 60
  const spike = [minutes - 300, minutes - 260] as const
  for (let i = 0; i < minutes; i++) {
    const factor = i >= spike[0] && i < spike[1] ? 3 : 1
    for (const [category, mean] of [
      ['Shoes', 12],
      ['Home', 6],
    ] as const) {
      let views = 0
      for (let n = 0; n < 4 * mean * factor; n++) if (random.float() < 0.25) views++
      if (views > 0)
        one.row(viewsPlan, {
          window_start: startMs + i * 60_000,
          window_end: startMs + i * 60_000 + 60_000,
          category,
          views,
        })
    }
  }
  const ofStore = one.told.filter(({ value }) => value.category === null)
  assert.deepEqual(
    ofStore.map(({ value }) => [value.kind, value.status]),
    [
      ['spike', 'firing'],
      ['spike', 'resolved'],
    ],
  )
  const since = (Date.parse(String(ofStore[0]!.value.since)) - startMs) / 60_000
  assert.ok(Math.abs(since - spike[0]) <= 3, String(since))
  assert.match(String(ofStore[0]!.value.sentence), /^VIEW SPIKE: the store: \d+ views in 15 minutes, \d+ are usual/)
})
