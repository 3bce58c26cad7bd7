// Settings on the journal: durable when it is said so, through restarts, seals and power cuts; bounded.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { simulate } from '../../sim/world.ts'
import { batchOf, machine, p0, refused } from './broker.suite.ts'
import { type Broker, openBroker } from './broker.ts'
import { quotaSetting } from './quota-setting.ts'
import { readSetting, SettingsTable, settingBytesMax, settingsMax, writeSetting } from './settings-table.ts'

const rate = (user: string | null, bytes: number) => quotaSetting({ user }, { producer_byte_rate: bytes })
const gone = (user: string) => quotaSetting({ user }, {})
const ratesOf = (broker: Broker): Record<string, number | undefined> =>
  Object.fromEntries(
    broker.settings
      .all()
      .flatMap(({ what, about, value }) => (what === 'quota' ? [[about, value?.limits.producer_byte_rate]] : [])),
  )

test('a setting is its bytes', () => {
  for (const setting of [
    rate('Alice', 5.5),
    rate(null, 1),
    gone('Bob'),
    quotaSetting({ clientId: 'c"\u{1f600}' }, { request_percentage: 200, consumer_byte_rate: 1e15 }),
    quotaSetting({ user: 'a', clientId: null }, { controller_mutation_rate: 0.5 }),
  ]) {
    assert.deepEqual(readSetting(writeSetting(setting)), setting)
  }
  assert.throws(() => readSetting(Buffer.from('{"what":"other","about":"x","value":null}')))
})

test('settings are told when durable, and are there after kills, restarts and seals', async () => {
  const here = machine()
  let broker = await here.open({ segmentBytes: 6_000 })
  const told: string[] = []
  broker.settings.onChange(({ about }) => told.push(about))
  const set = broker.settings.set([rate('a', 1), rate('b', 2), rate(null, 3)])
  assert.deepEqual([broker.settings.all(), told], [[], []])
  await set
  assert.equal(told.length, 3)
  await broker.settings.set([rate('a', 4), gone('b')])
  const expected = { '["user","a"]': 4, '["user",null]': 3 }
  assert.deepEqual(ratesOf(broker), expected)
  await broker.createTopic({ name: 't', partitions: 1 })
  for (let i = 0; i < 12; i++) await broker.append('t', p0, batchOf(['x'.repeat(1_500)]))
  assert.ok(here.fs.list('/data/journal').some((name) => name.endsWith('.seal')))
  for (const end of ['kill', 'close', 'again']) {
    broker = await here.open({ segmentBytes: 6_000 })
    assert.deepEqual(ratesOf(broker), expected, end)
    if (end === 'close') await broker.close()
  }
  await broker.close()
})

test('too large, too many: refused, and nothing has changed', async () => {
  const broker = await machine().open()
  await assert.rejects(broker.settings.set([rate('x'.repeat(settingBytesMax), 1)]), refused('INVALID_CONFIG'))
  assert.deepEqual(broker.settings.all(), [])
  await broker.close()
  const table = new SettingsTable()
  for (let i = 0; i < settingsMax; i++) table.apply(rate(`u${i}`, i))
  assert.throws(() => table.checkRoom([rate('more', 1)]), refused('INVALID_CONFIG'))
  table.checkRoom([gone('u1')])
})

test('60 histories of crashes: acknowledged settings stay, what is set together is there together', async () => {
  let crashes = 0
  for (let seed = 0; seed < 60; seed++) {
    const told = `seed ${seed} (to replay it alone, let the loop begin there)`
    const simulation = simulate({ seed: `settings ${seed}`, faults: { survival: [0, 0.5, 1][seed % 3]! } })
    const settings = { dataDir: '/data', durability: 'power', freeBytesMin: 0, segmentBytes: 4_000 } as const
    let acked = 0
    let asked = 0
    for (let life = 0; life < 5; life++) {
      const crash = simulation.random.below(3) === 0 ? 'kill' : 'power'
      simulation.machine.plan(life === 4 ? null : { at: 1 + simulation.random.below(70), crash })
      const end = await simulation.run(async (world, process) => {
        const broker = await openBroker(world, settings)
        const rates = ratesOf(broker)
        const found = rates['["user","a"]'] ?? 0
        assert.ok(found >= acked && found <= asked, `${told}: ${found}, acknowledged ${acked}, asked ${asked}`)
        assert.equal(rates['["user","b"]'] ?? 0, found, told)
        asked = found
        acked = found
        for (let i = 0; i < 25 && process.alive; i++) {
          await broker.settings.set([rate('a', ++asked), rate('b', asked)])
          if (process.alive) acked = asked
        }
        await broker.close()
      })
      if (end.end === 'threw') throw new Error(told, { cause: end.error })
      if (end.end === 'crashed') crashes++
    }
  }
  assert.ok(crashes > 100, `${crashes} crashes`)
})
