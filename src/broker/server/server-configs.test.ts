// Configs of topics and of the broker through the server: replaced, altered one by one, described, refused with words.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { apis, kafkaErrors as error } from '../../wire/wire.ts'
import { opened } from './server.suite.ts'

const versionsOf = (name: 'alterConfigs' | 'incrementalAlterConfigs'): number[] => {
  const { min, max } = apis[name].versions
  return Array.from({ length: max - min + 1 }, (_, i) => min + i)
}
const codes = (answers: readonly { readonly errorCode: number }[]) => answers.map(({ errorCode }) => errorCode)

test('configs of a topic: replaced, set, deleted, appended, subtracted, only looked at', async () => {
  const { core, client } = await opened()
  await core.createTopic({ name: 't', partitions: 1, configs: { 'retention.ms': '5' } })
  const configs = () => core.topic('t')?.configs
  for (const version of versionsOf('alterConfigs')) {
    const ask = async (given: readonly (readonly [string, string | null])[], validateOnly = false) => {
      const resource = { resourceType: 2, resourceName: 't', configs: given.map(([name, value]) => ({ name, value })) }
      return (await client.ask('alterConfigs', version, { resources: [resource], validateOnly })).responses[0]!
    }
    assert.equal((await ask([['cleanup.policy', 'compact']], true)).errorCode, 0)
    assert.deepEqual(configs(), { 'retention.ms': '5' })
    assert.equal((await ask([['cleanup.policy', 'compact']])).errorCode, 0)
    assert.deepEqual(configs(), { 'cleanup.policy': 'compact' })
    const refused = await ask([['min.insync.replicas', '2']])
    assert.equal(refused.errorCode, error.INVALID_CONFIG)
    assert.match(refused.errorMessage ?? '', /min.insync.replicas=2: must be 1: there is one broker/)
    assert.equal((await ask([['retention.ms', null]])).errorCode, error.INVALID_REQUEST)
    assert.equal((await ask([['retention.ms', '5']])).errorCode, 0)
  }
  for (const version of versionsOf('incrementalAlterConfigs')) {
    const ask = async (given: readonly (readonly [string, number, string | null])[], validateOnly = false) => {
      const configs = given.map(([name, configOperation, value]) => ({ name, configOperation, value }))
      const resources = [{ resourceType: 2, resourceName: 't', configs }]
      return (await client.ask('incrementalAlterConfigs', version, { resources, validateOnly })).responses[0]!
    }
    const [set, remove, append, subtract] = [0, 1, 2, 3] as const
    assert.equal((await ask([['max.message.bytes', set, '400']], true)).errorCode, 0)
    assert.deepEqual(configs(), { 'retention.ms': '5' })
    assert.equal(
      (
        await ask([
          ['max.message.bytes', set, '400'],
          ['cleanup.policy', append, 'compact'],
        ])
      ).errorCode,
      0,
    )
    assert.deepEqual(configs(), { 'retention.ms': '5', 'max.message.bytes': '400', 'cleanup.policy': 'delete,compact' })
    assert.equal((await ask([['cleanup.policy', append, 'compact']])).errorCode, 0)
    assert.equal(
      (
        await ask([
          ['cleanup.policy', subtract, 'delete'],
          ['max.message.bytes', remove, null],
        ])
      ).errorCode,
      0,
    )
    assert.deepEqual(configs(), { 'retention.ms': '5', 'cleanup.policy': 'compact' })
    // All of a resource's changes, or none.
    assert.equal(
      (
        await ask([
          ['retention.ms', set, '6'],
          ['retention.bytes', set, 'x'],
        ])
      ).errorCode,
      error.INVALID_CONFIG,
    )
    assert.equal((await ask([['cleanup.policy', subtract, 'compact']])).errorCode, error.INVALID_CONFIG)
    const noList = await ask([['retention.ms', append, '6']])
    assert.deepEqual([noList.errorCode, /no list/.test(noList.errorMessage ?? '')], [error.INVALID_CONFIG, true])
    assert.equal((await ask([['retention.ms', set, null]])).errorCode, error.INVALID_REQUEST)
    assert.equal((await ask([['retention.ms', 7, '6']])).errorCode, error.INVALID_REQUEST)
    assert.equal(
      (
        await ask([
          ['retention.ms', set, '6'],
          ['retention.ms', set, '7'],
        ])
      ).errorCode,
      error.INVALID_REQUEST,
    )
    assert.equal((await ask([['constructor', set, '6']])).errorCode, error.INVALID_CONFIG)
    assert.deepEqual(configs(), { 'retention.ms': '5', 'cleanup.policy': 'compact' })
    assert.equal(
      (
        await ask([
          ['cleanup.policy', remove, null],
          ['segment.ms', remove, null],
        ])
      ).errorCode,
      0,
    )
  }
  const asked = { configs: [{ name: 'retention.ms', configOperation: 0, value: '1' }] }
  const { responses } = await client.ask('incrementalAlterConfigs', 1, {
    resources: [
      { resourceType: 2, resourceName: 'none', ...asked },
      { resourceType: 2, resourceName: 't', ...asked },
      { resourceType: 2, resourceName: 't', ...asked },
      { resourceType: 8, resourceName: '1', ...asked },
      { resourceType: 32, resourceName: 'g', ...asked },
      { resourceType: 4, resourceName: '77', ...asked },
    ],
  })
  const expected = [error.UNKNOWN_TOPIC_OR_PARTITION, 42, 42, 42, error.INVALID_CONFIG, error.INVALID_REQUEST]
  assert.deepEqual(codes(responses), expected)
})

test('configs of the broker: for it and for the cluster; the others are refused with words', async () => {
  const { core, client } = await opened()
  await core.createTopic({ name: 't', partitions: 1, configs: { 'retention.ms': '5' } })
  const alter = async (resourceName: string, name: string, value: string | null) => {
    const configs = [{ name, configOperation: value === null ? 1 : 0, value }]
    const resources = [{ resourceType: 4, resourceName, configs }]
    return (await client.ask('incrementalAlterConfigs', 1, { resources, validateOnly: false })).responses[0]!
  }
  assert.equal((await alter('', 'log.retention.ms', '70')).errorCode, 0)
  assert.equal((await alter('1', 'log.retention.ms', '60')).errorCode, 0)
  for (const [name, value] of [
    ['num.partitions', '5'],
    ['no.such', '5'],
    ['retention.ms', '5'],
    ['log.retention.ms', 'x'],
  ] as const) {
    assert.equal((await alter('1', name, value)).errorCode, error.INVALID_CONFIG, name)
  }
  const described = async (resourceType: number, resourceName: string, key: string | null) => {
    const configurationKeys = key === null ? null : [key]
    const resources = [{ resourceType, resourceName, configurationKeys }]
    const body = { resources, includeSynonyms: true, includeDocumentation: true }
    return (await client.ask('describeConfigs', 4, body)).results[0]!.configs
  }
  const [topic] = await described(2, 't', 'retention.ms')
  assert.deepEqual(
    topic?.synonyms.map(({ name, value, source }) => [name, value, source]),
    [
      ['retention.ms', '5', 1],
      ['log.retention.ms', '60', 2],
      ['log.retention.ms', '70', 3],
      ['log.retention.ms', '604800000', 5],
    ],
  )
  assert.deepEqual([topic?.configType, topic?.configSource, topic?.readOnly], [5, 1, false])
  assert.match(topic?.documentation ?? '', /^Records older than this/)
  const [own] = await described(4, '1', 'log.retention.ms')
  assert.deepEqual([own?.value, own?.configSource, own?.synonyms.length], ['60', 2, 3])
  assert.deepEqual(
    (await described(4, '', null)).map(({ name, value }) => [name, value]),
    [['log.retention.ms', '70']],
  )
  const [fixed] = await described(4, '1', 'num.partitions')
  assert.deepEqual([fixed?.readOnly, fixed?.configSource, fixed?.configType], [true, 4, 3])
  const ofGroup = await described(32, 'g', null)
  assert.deepEqual(
    ofGroup.map(({ name, readOnly }) => [name, readOnly]),
    [
      ['consumer.heartbeat.interval.ms', true],
      ['consumer.session.timeout.ms', true],
    ],
  )
  assert.equal((await alter('1', 'log.retention.ms', null)).errorCode, 0)
  assert.equal((await described(4, '1', 'log.retention.ms'))[0]?.value, '70')
  // AlterConfigs forgets what it does not name.
  const resources = [{ resourceType: 4, resourceName: '', configs: [{ name: 'log.cleanup.policy', value: 'compact' }] }]
  await client.ask('alterConfigs', 2, { resources, validateOnly: false })
  assert.deepEqual(
    (await described(4, '', null)).map(({ name, value }) => [name, value]),
    [['log.cleanup.policy', 'compact']],
  )
})
