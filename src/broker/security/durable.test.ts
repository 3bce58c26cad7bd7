// Rules and credentials through restarts: there again, in force again, and no reader of a journal takes nonsense for them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { batchOf, machine, p0 } from '../broker.suite.ts'
import { readSetting, type Setting, writeSetting } from '../settings-table.ts'
import { AccessControl } from './access-control.ts'
import { type AccessRule, noRuleSetting, ruleSetting } from './access-rules.ts'
import { Credentials, credentialSetting, noCredentialSetting } from './credentials.ts'
import { isPassword, verifierOf } from './scram.ts'

const rule: AccessRule = {
  resource: 'topic',
  pattern: 'prefixed',
  name: 'shop-',
  principal: 'User:CN=shop\\, one,O=Example',
  host: '*',
  operation: 'all',
  permission: 'allow',
}
const denial: AccessRule = { ...rule, name: 'shop-x', permission: 'deny' }
const verifier = verifierOf('SCRAM-SHA-256', 'secret', Buffer.from('salt'), 4_096)
const credential = credentialSetting('a"b', 'SCRAM-SHA-256', verifier)

test('settings are their bytes', () => {
  const settings: readonly Setting[] = [
    ruleSetting(rule),
    noRuleSetting(rule),
    credential,
    noCredentialSetting('a"b', 'SCRAM-SHA-512'),
    { what: 'secret', about: 'salts', value: { bytes: 'AAEC' } },
  ]
  for (const setting of settings) assert.deepEqual(readSetting(writeSetting(setting)), setting)
  for (const value of [
    { ...rule, resource: 'thing' },
    { ...rule, operation: 'toString' },
    { ...rule, permission: 1 },
    { ...rule, name: null },
  ]) {
    const bytes = Buffer.from(JSON.stringify({ what: 'access-rule', about: 'x', value }))
    assert.throws(() => readSetting(bytes))
  }
  const short = { ...credential.value, storedKey: 'AA==' }
  assert.throws(() => readSetting(Buffer.from(JSON.stringify({ what: 'credential', about: 'x', value: short }))))
})

test('after kills, restarts and seals: the same rules, the same passwords, the same invented salts', async () => {
  const here = machine()
  let broker = await here.open({ segmentBytes: 6_000 })
  const first = new Credentials(broker.settings)
  let secrets = 0
  await first.prepare((count) => new Uint8Array(count).fill(++secrets))
  await broker.settings.set([ruleSetting(rule), ruleSetting(denial), credential])
  const invented = first.inventedVerifier('ghost', 'SCRAM-SHA-512').salt
  await broker.createTopic({ name: 't', partitions: 1 })
  for (let i = 0; i < 12; i++) await broker.append('t', p0, batchOf(['x'.repeat(1_500)]))
  const asker = { principal: { name: rule.principal }, host: '10.0.0.1' }
  for (const end of ['kill', 'close', 'again']) {
    broker = await here.open({ segmentBytes: 6_000 })
    const access = new AccessControl(broker.settings, [])
    assert.equal(access.isOn, true, end)
    assert.equal(access.may(asker, 'write', 'topic', 'shop-a'), true, end)
    assert.equal(access.may(asker, 'write', 'topic', 'shop-xy'), false, end)
    const credentials = new Credentials(broker.settings)
    await credentials.prepare((count) => new Uint8Array(count).fill(++secrets))
    const kept = credentials.verifier('a"b', 'SCRAM-SHA-256')
    assert.ok(kept !== null && isPassword('SCRAM-SHA-256', 'secret', kept), end)
    assert.deepEqual(credentials.inventedVerifier('ghost', 'SCRAM-SHA-512').salt, invented, end)
    if (end === 'close') await broker.close()
  }
  assert.equal(secrets, 1, 'the secret is made once')
  await broker.settings.set([noRuleSetting(rule), noRuleSetting(denial), noCredentialSetting('a"b', 'SCRAM-SHA-256')])
  await broker.close()
  broker = await here.open({ segmentBytes: 6_000 })
  assert.equal(new AccessControl(broker.settings, []).isOn, false)
  assert.equal(new Credentials(broker.settings).has('a"b'), false)
  await broker.close()
})
