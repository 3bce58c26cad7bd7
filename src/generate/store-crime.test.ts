// Thieves and programs in the store: each kind comes, at its share, labelled with what it did, and does what it is known by.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseInstant } from '../std/instant.ts'
import { botKinds, fraudKinds, type StoreSettings, storeTopics, storeTopicsBeside, storeTraffic } from './generate.ts'
import { fraudShares } from './store-fraud.ts'

const startMs = Date.UTC(2026, 0, 5, 3)
const dayMs = 86_400_000
const decoder = new TextDecoder()

interface Truth {
  readonly kind: string
  readonly scenario: string
  readonly entity_ids: readonly string[]
  readonly event_ids: readonly string[]
  readonly start: string
  readonly end: string
}
interface Transaction {
  readonly transaction_id: string
  readonly user_id: string
  readonly timestamp: string
  readonly total_amount: number
  readonly status: string
  readonly device_id: string
  readonly card_fingerprint: string
  readonly ip_country: string
  readonly seller: string
}
interface World {
  readonly truths: Map<string, Truth>
  readonly records: Map<string, Record<string, unknown>[]>
}
function world(
  seed: string,
  settings: Omit<StoreSettings, 'startMs' | 'topics'>,
  days: number,
  topics: string[],
): World {
  const truths = new Map<string, Truth>()
  const records = new Map<string, Record<string, unknown>[]>()
  storeTraffic(seed, { startMs, ...settings, topics }).produceUntil(startMs + days * dayMs, {
    record(topic, key, value, atMs) {
      const record = JSON.parse(decoder.decode(value))
      if (topic === 'ground-truth') truths.set(decoder.decode(key), record)
      else {
        const some = records.get(topic)
        if (some) some.push(record)
        else records.set(topic, [record])
      }
      const text = record.timestamp ?? record.starts_at ?? record.start
      assert.ok(parseInstant(text) <= atMs, `${topic}: ${text} after its arrival`)
    },
  })
  return { truths, records }
}

test('E6: fraud is half a percent of the payments, each kind has its share, every label names payments that were made', () => {
  // Four weeks at 1.2 payments a minute: about 260 of fraud.
  const topics = ['transactions', 'chargebacks', 'returns', 'ground-truth']
  const truths = new Map<string, Truth>()
  const payments = new Map<string, Transaction>()
  const charged: Record<string, string>[] = []
  const claimed: Record<string, string>[] = []
  storeTraffic('41', { startMs, ratePerSecond: 0.02, topics }).produceUntil(startMs + 28 * dayMs, {
    record(topic, key, value) {
      const record = JSON.parse(decoder.decode(value))
      if (topic === 'ground-truth') truths.set(decoder.decode(key), record)
      else if (topic === 'transactions') payments.set(record.transaction_id, record)
      else if (topic === 'chargebacks') charged.push(record)
      else claimed.push(record)
    },
  })
  const counts = new Map<string, number>()
  const stolen = new Set<string>()
  for (const { kind, scenario, event_ids } of truths.values()) {
    if (kind !== 'fraud') continue
    counts.set(scenario, (counts.get(scenario) ?? 0) + event_ids.length)
    for (const id of event_ids) {
      assert.ok(payments.has(id), `${id} was never paid`)
      assert.ok(!stolen.has(id))
      stolen.add(id)
    }
  }
  const share = stolen.size / payments.size
  assert.ok(Math.abs(share / 0.005 - 1) < 0.1, `share of fraud ${share}`)
  assert.deepEqual([...counts.keys()].sort(), [...fraudKinds].sort())
  for (const kind of fraudKinds) {
    const seen = counts.get(kind)! / stolen.size
    assert.ok(Math.abs(seen - fraudShares[kind]) < 0.15, `${kind}: ${seen}`)
  }
  // A chargeback is of a stolen payment that went through, and comes one to seven days after it.
  assert.ok(charged.length > stolen.size * 0.25, `${charged.length} chargebacks`)
  for (const { transaction_id, timestamp, transaction_timestamp, amount } of charged) {
    const payment = payments.get(transaction_id!)!
    assert.ok(stolen.has(transaction_id!) && payment.status === 'approved')
    assert.equal(payment.timestamp, transaction_timestamp)
    assert.equal(payment.total_amount, amount)
    const lateDays = (parseInstant(timestamp!) - parseInstant(transaction_timestamp!)) / dayMs
    assert.ok(lateDays >= 1 && lateDays <= 7, `${lateDays} days`)
  }
  for (const { transaction_id } of claimed) assert.ok(payments.has(transaction_id!))
  const honest = claimed.filter(({ transaction_id }) => !stolen.has(transaction_id!))
  const mayReturn = [...payments.values()].filter(({ timestamp }) => parseInstant(timestamp) < startMs + 8 * dayMs)
  const back = new Set(honest.map(({ transaction_id }) => transaction_id))
  const returned = mayReturn.filter(({ transaction_id }) => back.has(transaction_id)).length / mayReturn.length
  // 1.14 lines each, 5 % of them.
  assert.ok(Math.abs(returned / 0.057 - 1) < 0.15, `${returned} of the purchases come back`)

  // What each kind is known by.
  for (const { kind, scenario, event_ids } of truths.values()) {
    if (kind !== 'fraud') continue
    const all = event_ids.map((id) => payments.get(id)!)
    const one = <T>(of: (payment: Transaction) => T): number => new Set(all.map(of)).size
    if (scenario === 'card-testing') {
      assert.equal(
        one(({ device_id }) => device_id),
        1,
      )
      const small = all.filter(({ total_amount }) => total_amount <= 5)
      assert.ok(small.length >= all.length - 1 && small.every(({ total_amount }) => total_amount >= 1))
      assert.ok(parseInstant(all.at(-1)!.timestamp) - parseInstant(all[0]!.timestamp) <= 20 * 60_000)
      assert.equal(
        one(({ card_fingerprint }) => card_fingerprint?.slice(0, 6)),
        1,
      )
    } else if (scenario === 'account-takeover')
      assert.equal(
        one(({ user_id }) => user_id),
        1,
      )
    else if (scenario === 'compromised-seller')
      assert.equal(
        one(({ seller }) => seller),
        1,
      )
    else if (scenario === 'refund-abuse')
      assert.equal(
        one(({ device_id }) => device_id),
        1,
      )
  }
})

test('E4: eight percent of the sessions are programs, labelled, and each kind does what it is known by', () => {
  const { truths, records } = world('7', { ratePerSecond: 4, profile: 'realistic' }, 0.5, [
    ...storeTopics,
    ...storeTopicsBeside,
  ])
  const events = records.get('user-events')!
  const sessions = new Map<unknown, Record<string, unknown>[]>()
  for (const event of events) {
    const session = sessions.get(event.session_id)
    if (session) session.push(event)
    else sessions.set(event.session_id, [event])
  }
  const programs = new Map<string, string>()
  for (const { kind, scenario, entity_ids, event_ids } of truths.values()) {
    if (kind !== 'bot') continue
    const id = entity_ids.find((entity) => entity.startsWith('session_'))!
    programs.set(id, scenario)
    const known = new Set(sessions.get(id)?.map(({ event_id }) => event_id))
    for (const eventId of event_ids) assert.ok(known.has(eventId) || eventId === event_ids.at(-1), `${id}: ${eventId}`)
  }
  assert.deepEqual(new Set(programs.values()), new Set(botKinds))
  const share = programs.size / sessions.size
  // Visits without a single event (landed and left) are sessions that nobody sees.
  assert.ok(share > 0.07 && share < 0.11, `${share} of the sessions`)
  for (const [id, scenario] of programs) {
    const kinds = new Set(sessions.get(id)?.map(({ event_type }) => event_type))
    if (scenario === 'scraper' || scenario === 'price-watcher') assert.deepEqual([...kinds], ['product_view'])
    else if (scenario === 'credential-stuffer') assert.ok(!kinds.has('product_view') && kinds.has('login_failed'))
    else assert.ok(!kinds.has('login_failed'))
  }
  for (const { session_id } of records.get('transactions')!)
    assert.ok(!programs.has(String(session_id)), 'programs never pay')
  assert.ok(
    !events.some(({ event_type, session_id }) => event_type === 'login_failed' && !programs.has(String(session_id))),
  )
})

test('E1-E3: the default profile has no programs, no logins and no declined payment but those of thieves', () => {
  const { truths, records } = world('7', { ratePerSecond: 20 }, 0.1, [...storeTopics, ...storeTopicsBeside])
  assert.deepEqual(
    new Set(records.get('user-events')!.map(({ event_type }) => event_type)),
    new Set(['product_view', 'add_to_cart', 'search']),
  )
  const stolen = new Set([...truths.values()].flatMap(({ event_ids }) => event_ids))
  for (const { status, transaction_id } of records.get('transactions')!)
    assert.ok(status === 'approved' || stolen.has(String(transaction_id)))
})
