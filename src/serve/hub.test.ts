// The hub on a clock turned by hand: rounds, conflation, resuming, limits; and a seeded property that whatever a client
// misses, what it holds ends equal to the newest state.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomStream } from '../std/random.ts'
import { nodeWorld } from '../world/node.ts'
import type { World } from '../world/world.ts'
import { channels } from './channels.ts'
import { type Channel, channels as channelNames } from './contract.ts'
import { type HubSettings, hub, hubDefaults } from './hub.ts'
import type { KpiRow, LiveState, SecondRow } from './ports.ts'

const start = Date.UTC(2026, 10, 21, 9)

/** A world whose clock moves when told to. */
function handWorld(seed: string) {
  let now = 0
  let timers: { atMs: number; callback: () => void }[] = []
  const world: World = {
    ...nodeWorld({ seed }),
    clock: {
      nowMs: () => start + now,
      monoMs: () => now,
      timer(delayMs, callback) {
        const timer = { atMs: now + delayMs, callback }
        timers.push(timer)
        return {
          cancel() {
            timers = timers.filter((other) => other !== timer)
          },
        }
      },
      sleep: () => Promise.reject(new Error('nobody sleeps here')),
      soon: (callback) => callback(),
    },
  }
  const advance = (byMs: number): void => {
    const end = now + byMs
    for (;;) {
      const next = timers.filter((timer) => timer.atMs <= end).sort((a, b) => a.atMs - b.atMs)[0]
      if (next === undefined) break
      timers = timers.filter((timer) => timer !== next)
      now = Math.max(now, next.atMs)
      next.callback()
    }
    now = end
  }
  return { world, advance, timers: () => timers.length }
}

function kpi(second: number, sales: number): KpiRow {
  const windowEndMs = start + second * 1000
  return {
    windowStartMs: windowEndMs - 900_000,
    windowEndMs,
    sales,
    revenueMinor: sales * 100,
    averageTicketMinor: 100,
    activeSellers: 3,
    activeCategories: 2,
    activeProducts: 5,
    biggestSaleMinor: 900,
    timing: 'early',
  }
}

/** A live port whose state is set by hand. */
function handLive() {
  const listeners = new Set<() => void>()
  let epoch = 1
  let history: KpiRow[] = []
  let series: SecondRow[] = []
  const state = (): LiveState => ({
    epoch,
    currency: 'BRL',
    scale: 2,
    windowMs: 900_000,
    slideMs: 1000,
    watermarkMs: history.length === 0 ? null : history.at(-1)!.windowEndMs - 5000,
    eventTimeMaxMs: history.length === 0 ? null : history.at(-1)!.windowEndMs,
    current: history.at(-1) ?? null,
    previous: null,
    history,
    series,
    topProducts: null,
    salesEvents: null,
  })
  return {
    port: {
      snapshot: state,
      subscribe(listener: () => void) {
        listeners.add(listener)
        return () => void listeners.delete(listener)
      },
    },
    listeners,
    tell: () => {
      for (const listener of listeners) listener()
    },
    /** The row and the second with this number now say `sales`. */
    set(second: number, sales: number) {
      const row = kpi(second, sales)
      history = [...history.filter((old) => old.windowEndMs !== row.windowEndMs), row]
      history.sort((a, b) => a.windowEndMs - b.windowEndMs)
      history = history.slice(-60)
      const point = { secondMs: row.windowEndMs, sales, revenueMinor: sales * 100 }
      series = [...series.filter((old) => old.secondMs !== point.secondMs), point]
      series.sort((a, b) => a.secondMs - b.secondMs)
      series = series.slice(-300)
    },
    restart() {
      epoch++
      history = []
      series = []
    },
  }
}

const status = {
  status: () => ({
    startedMs: start,
    durability: 'power-cut' as const,
    components: [],
    ledger: [],
    kafka: null,
    generator: null,
  }),
}

interface Event {
  readonly id: string
  readonly event: string
  // biome-ignore lint/suspicious/noExplicitAny: the test reads whatever came over the wire
  readonly data: any
}
function parse(text: string): Event[] {
  return text
    .split('\n\n')
    .filter((block) => block.includes('event: '))
    .map((block) => {
      const line = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1] ?? ''
      return { id: line('id'), event: line('event'), data: JSON.parse(line('data')) }
    })
}

/** One side of a connection: collects what is written, and can be told to be slow. */
function handSink() {
  const chunks: Uint8Array[] = []
  let text = ''
  const sink = {
    slow: false,
    ended: false,
    destroyed: false,
    write(bytes: Uint8Array) {
      chunks.push(bytes)
      text += new TextDecoder().decode(bytes)
      return !sink.slow
    },
    end() {
      sink.ended = true
    },
    destroy() {
      sink.destroyed = true
    },
    chunks,
    all: () => text,
    /** What came since the last time this was asked. */
    take: () => {
      const taken = text
      text = ''
      return taken
    },
  }
  return sink
}

function house(settings: Partial<HubSettings> = {}, seed = 'hub') {
  const hand = handWorld(seed)
  const live = handLive()
  const table = channels({ live: live.port, status }, 'run', '0.0.1')
  return { ...hand, live, table, hub: hub(hand.world, live.port, table, { ...hubDefaults, ...settings }) }
}
const all = new Set<Channel>(channelNames)

test('whoever joins gets the retry time and a snapshot of each wanted channel, ids ascending', () => {
  const { hub, live } = house()
  live.set(1, 10)
  live.set(2, 20)
  const sink = handSink()
  hub.join(sink, all, '')
  const text = sink.take()
  assert.match(text, /^retry: 2\d{3}\n\n/)
  const events = parse(text)
  assert.deepEqual(
    events.map((event) => [event.event, event.data.kind]),
    [
      ['kpis', 'snapshot'],
      ['series', 'snapshot'],
      ['status', 'snapshot'],
    ],
  )
  assert.deepEqual(
    events.map((event) => event.id),
    ['run.1-1', 'run.1-2', 'run.1-3'],
  )
  assert.equal(events[0]!.data.current.sales, 20)
  assert.equal(events[0]!.data.history.length, 2)
  const few = handSink()
  hub.join(few, new Set<Channel>(['status']), '')
  assert.deepEqual(
    parse(few.take()).map((event) => event.event),
    ['status'],
  )
})

test('a change goes out as a delta of what changed, at most four rounds a second', () => {
  const { hub, live, advance } = house()
  live.set(1, 10)
  const sink = handSink()
  hub.join(sink, new Set<Channel>(['kpis', 'series']), '')
  sink.take()
  for (let ms = 0; ms < 2000; ms += 10) {
    live.set(2, ms)
    live.tell()
    advance(10)
  }
  const events = parse(sink.take())
  const rounds = events.filter((event) => event.event === 'kpis')
  assert.ok(rounds.length >= 7 && rounds.length <= 8, `${rounds.length} rounds in two seconds`)
  for (const { data } of events) {
    assert.equal(data.kind, 'delta')
    assert.equal((data.history ?? data.points).length, 1)
  }
})

test('an unchanged state sends nothing but the status, once a second', () => {
  const { hub, live, advance } = house()
  live.set(1, 10)
  const sink = handSink()
  hub.join(sink, all, '')
  sink.take()
  for (let i = 0; i < 100; i++) {
    live.tell()
    advance(50)
  }
  assert.deepEqual(new Set(parse(sink.all()).map((event) => event.event)), new Set(['status']))
  assert.equal(parse(sink.take()).length, 5)
})

test('a slow client skips rounds and is then brought up to date by snapshots; others notice nothing', () => {
  const { hub, live, advance } = house()
  live.set(1, 10)
  const slow = handSink()
  const fast = [handSink(), handSink()]
  const wanted = new Set<Channel>(['kpis', 'series'])
  const member = hub.join(slow, wanted, '')
  for (const sink of fast) hub.join(sink, wanted, '')
  slow.slow = true
  for (const sink of [slow, ...fast]) sink.take()
  for (let second = 2; second < 12; second++) {
    live.set(second, second)
    live.tell()
    advance(1000)
  }
  // The write that said "slow" was the last one: nothing is queued behind it.
  assert.equal(parse(slow.take()).length, 2)
  assert.ok(hub.conflated >= 9)
  assert.equal(parse(fast[0]!.take()).length, 20)
  assert.equal(fast[0]!.chunks.at(-1), fast[1]!.chunks.at(-1), 'a round is made into bytes once')
  slow.slow = false
  member!.drained()
  const events = parse(slow.take())
  assert.deepEqual(
    events.map((event) => [event.event, event.data.kind]),
    [
      ['kpis', 'snapshot'],
      ['series', 'snapshot'],
    ],
  )
  assert.equal(events[0]!.data.current.sales, 11)
  live.set(12, 12)
  live.tell()
  advance(1000)
  assert.deepEqual(
    parse(slow.take()).map((event) => event.data.kind),
    ['delta', 'delta'],
  )
})

test('a returning client gets only what changed since its last id; a foreign id gets everything', () => {
  const { hub, live, advance } = house()
  live.set(1, 10)
  const sink = handSink()
  const member = hub.join(sink, all, '')
  const lastId = parse(sink.take()).at(-1)!.id
  member!.leave()
  const again = handSink()
  hub.join(again, all, lastId)
  assert.deepEqual(parse(again.take()), [])
  const id = 'run.1-3'
  live.set(1, 11)
  live.tell()
  advance(300)
  const later = handSink()
  hub.join(later, all, id)
  assert.deepEqual(
    parse(later.take()).map((event) => event.event),
    ['kpis', 'series'],
  )
  for (const foreign of ['other.1-3', 'run.1-999999', 'run.1--1', 'run.1-x', 'nonsense', '-', 'run.1-1e3']) {
    const sink = handSink()
    hub.join(sink, all, foreign)
    assert.equal(parse(sink.take()).length, 3, foreign)
  }
})

test('another epoch replaces everything by snapshots', () => {
  const { hub, live, advance } = house()
  live.set(1, 10)
  const sink = handSink()
  hub.join(sink, all, '')
  sink.take()
  live.restart()
  live.set(5, 7)
  live.tell()
  advance(300)
  const events = parse(sink.take())
  assert.deepEqual(
    events.map((event) => event.data.kind),
    ['snapshot', 'snapshot', 'snapshot'],
  )
  assert.ok(events.every((event) => event.id.startsWith('run.2-') && event.data.epoch === 'run.2'))
  assert.deepEqual(
    events[0]!.data.history.map((row: { sales: number }) => row.sales),
    [7],
  )
})

test('limits: clients, heartbeat, a client that never drains', () => {
  const { hub, live, advance, timers } = house({ clientsMax: 2, statusMs: 1000 })
  live.set(1, 10)
  const quiet = handSink()
  const stuck = handSink()
  stuck.slow = true
  const one = hub.join(quiet, new Set<Channel>(['kpis']), '')
  const two = hub.join(stuck, new Set<Channel>(['kpis']), '')
  assert.equal(hub.join(handSink(), all, ''), null)
  quiet.take()
  advance(16_000)
  assert.equal(quiet.take(), ':\n\n')
  assert.equal(stuck.destroyed, false)
  advance(15_000)
  assert.equal(stuck.destroyed, true)
  assert.equal(quiet.destroyed, false)
  one!.leave()
  two!.leave()
  assert.equal(hub.clients, 0)
  assert.equal(timers(), 0, 'without clients nothing runs')
  assert.equal(live.listeners.size, 0, 'and nobody listens')
})

test('closing says goodbye and takes nobody in any more', () => {
  const { hub, timers } = house()
  const sink = handSink()
  hub.join(sink, all, '')
  hub.close()
  assert.match(sink.all(), /event: bye\ndata: \{\}\n\n$/)
  assert.equal(sink.ended, true)
  assert.equal(hub.join(handSink(), all, ''), null)
  assert.equal(timers(), 0)
})

test('property: whatever a client misses, it ends up with the newest state', () => {
  const runs = 60
  for (let run = 0; run < runs; run++) {
    const seed = process.env.HUB_SEED ?? `hub-${run}`
    const random = randomStream(seed)
    const { hub, live, advance } = house({}, seed)
    const rows = new Map<string, Map<string, string>>()
    let lastId = ''
    let sink = handSink()
    let member = hub.join(sink, all, lastId)
    const read = (): void => {
      for (const { id, event, data } of parse(sink.take())) {
        lastId = id
        if (event === 'status') continue
        const held = data.kind === 'snapshot' ? new Map<string, string>() : (rows.get(event) ?? new Map())
        for (const row of data.history ?? data.points) held.set(row.windowEnd ?? row.second, JSON.stringify(row))
        rows.set(event, held)
      }
    }
    for (let step = 0; step < 80; step++) {
      const dice = random.below(10)
      if (dice < 5) live.set(1 + random.below(40), random.below(1000))
      if (dice === 5) sink.slow = true
      if (dice === 6) {
        sink.slow = false
        member!.drained()
      }
      if (dice === 7) {
        read()
        member!.leave()
        sink = handSink()
        advance(random.below(500))
        member = hub.join(sink, all, lastId)
      }
      if (dice === 8 && random.below(8) === 0) live.restart()
      live.tell()
      advance(random.below(600))
    }
    sink.slow = false
    member!.drained()
    advance(2000)
    read()
    const state = live.port.snapshot()
    const hint = `replay with HUB_SEED=${seed} node --test src/serve/hub.test.ts`
    const sales = (name: string) =>
      [...(rows.get(name)?.values() ?? [])].map((row) => JSON.parse(row).sales).sort((a, b) => a - b)
    assert.deepEqual(
      sales('kpis'),
      state.history.map((row) => row.sales).sort((a, b) => a - b),
      hint,
    )
    assert.deepEqual(
      sales('series'),
      state.series.map((row) => row.sales).sort((a, b) => a - b),
      hint,
    )
    if (process.env.HUB_SEED !== undefined) break
  }
})
