// Who may do what: patterns, denials, what one right brings with it, and any order of rules against a plain reading of them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomStream } from '../../std/random.ts'
import type { AccessOperation, AccessResource } from '../server/serving.ts'
import { SettingsTable } from '../settings-table.ts'
import { operationsOf } from './access-codes.ts'
import { AccessControl, type Asker } from './access-control.ts'
import { type AccessRule, checkRule, noRuleSetting, passes, type RuleFilter, ruleSetting } from './access-rules.ts'

function control(rules: readonly AccessRule[], superUsers: readonly string[] = ['User:root']) {
  const table = new SettingsTable()
  const settings = { all: () => table.all(), onChange: table.onChange.bind(table), set: async () => {} }
  const access = new AccessControl(settings, superUsers)
  for (const rule of rules) table.apply(ruleSetting(rule))
  return { access, table }
}
const rule = (over: Partial<AccessRule> = {}): AccessRule => ({
  resource: 'topic',
  pattern: 'literal',
  name: 'sales',
  principal: 'User:ann',
  host: '*',
  operation: 'read',
  permission: 'allow',
  ...over,
})
const ann: Asker = { principal: { name: 'User:ann' }, host: '10.0.0.1' }
const bob: Asker = { principal: { name: 'User:bob' }, host: '10.0.0.2' }
const root: Asker = { principal: { name: 'User:root' }, host: '10.0.0.3' }

test('off without super users and rules; on with either', () => {
  const off = control([], [])
  assert.equal(off.access.isOn, false)
  assert.ok(off.access.may(bob, 'alter', 'cluster', 'kafka-cluster') && off.access.mayAny(bob, 'write', 'topic'))
  const closed = control([])
  assert.equal(closed.access.isOn, true)
  assert.equal(closed.access.may(ann, 'describe', 'topic', 'sales'), false)
  assert.equal(closed.access.mayAny(ann, 'write', 'topic'), false)
  assert.ok(
    closed.access.may(root, 'alter', 'cluster', 'kafka-cluster') && closed.access.mayAny(root, 'write', 'topic'),
  )
  // Nobody named a super user at this start: what was closed stays closed.
  const forgotten = control([rule()], [])
  assert.equal(forgotten.access.isOn, true)
  assert.equal(forgotten.access.may(root, 'read', 'topic', 'sales'), false)
  forgotten.table.apply(noRuleSetting(rule()))
  assert.equal(forgotten.access.isOn, false)
})

const cases: readonly [
  what: string,
  rules: readonly AccessRule[],
  asks: readonly [Asker, AccessOperation, string, boolean][],
][] = [
  [
    'a name, a principal, a host, an operation',
    [rule({ host: '10.0.0.1' })],
    [
      [ann, 'read', 'sales', true],
      [ann, 'describe', 'sales', true],
      [ann, 'write', 'sales', false],
      [ann, 'read', 'sales2', false],
      [bob, 'read', 'sales', false],
      [{ ...ann, host: '10.0.0.9' }, 'read', 'sales', false],
    ],
  ],
  [
    'every name, everyone',
    [rule({ name: '*', principal: 'User:*', operation: 'write' })],
    [
      [bob, 'write', 'anything', true],
      [bob, 'describe', 'anything', true],
      [bob, 'read', 'anything', false],
    ],
  ],
  [
    'names that begin so',
    [rule({ pattern: 'prefixed', name: 'shop-', operation: 'all' })],
    [
      [ann, 'delete', 'shop-', true],
      [ann, 'alter-configs', 'shop-orders', true],
      [ann, 'read', 'shop', false],
      [ann, 'read', 'x-shop-', false],
    ],
  ],
  [
    'a denial counts more, of whatever pattern and order',
    [
      rule({ pattern: 'prefixed', name: 'shop-', operation: 'all' }),
      rule({ name: 'shop-secret', permission: 'deny', operation: 'all', principal: 'User:*' }),
      rule({ name: 'shop-secret', operation: 'all' }),
    ],
    [
      [ann, 'read', 'shop-open', true],
      [ann, 'read', 'shop-secret', false],
      [root, 'read', 'shop-secret', true],
    ],
  ],
  [
    'who may not describe may still read where that is allowed; who may not read is not told less',
    [
      rule({ permission: 'deny', operation: 'describe' }),
      rule(),
      rule({ name: 'b', permission: 'deny' }),
      rule({ name: 'b', operation: 'describe' }),
    ],
    [
      [ann, 'read', 'sales', true],
      [ann, 'describe', 'sales', false],
      [ann, 'read', 'b', false],
      [ann, 'describe', 'b', true],
    ],
  ],
  [
    'altering configs brings describing them',
    [rule({ operation: 'alter-configs' })],
    [
      [ann, 'describe-configs', 'sales', true],
      [ann, 'describe', 'sales', false],
    ],
  ],
]
for (const [what, rules, asks] of cases) {
  test(what, () => {
    for (const ordered of [rules, [...rules].reverse()]) {
      const { access } = control(ordered)
      for (const [asker, operation, name, expected] of asks) {
        assert.equal(
          access.may(asker, operation, 'topic', name),
          expected,
          `${asker.principal.name} ${operation} ${name}`,
        )
      }
    }
  })
}

test('any name at all: an allowance that no denial covers', () => {
  const any = (rules: readonly AccessRule[]) => control(rules).access.mayAny(ann, 'write', 'topic')
  const allow = rule({ operation: 'write' })
  const deny = (over: Partial<AccessRule>) => rule({ operation: 'write', permission: 'deny', ...over })
  const shop = rule({ operation: 'write', pattern: 'prefixed', name: 'shop-' })
  assert.equal(any([allow]), true)
  assert.equal(any([rule()]), false)
  assert.equal(any([rule({ operation: 'all' })]), true)
  assert.equal(any([allow, deny({})]), false)
  assert.equal(any([allow, deny({ name: '*' })]), false)
  assert.equal(any([allow, deny({ pattern: 'prefixed', name: 'sa' })]), false)
  assert.equal(any([allow, deny({ pattern: 'prefixed', name: 'x' })]), true)
  assert.equal(any([shop, deny({ pattern: 'prefixed', name: 'shop-a' })]), true)
  assert.equal(any([shop, deny({ pattern: 'prefixed', name: 'shop' })]), false)
  assert.equal(any([rule({ operation: 'write', name: '*' }), deny({ pattern: 'prefixed', name: 'a' })]), true)
})

test('random rules: the index says what a plain reading of all of them says', () => {
  const implied: { readonly [Operation in AccessOperation]?: readonly string[] } = {
    describe: ['read', 'write', 'delete', 'alter'],
    'describe-configs': ['alter-configs'],
  }
  for (let seed = 0; seed < 300; seed++) {
    const random = randomStream(`access ${seed}`)
    const pick = <T>(list: readonly T[]): T => list[random.below(list.length)]!
    const rules = Array.from({ length: 1 + random.below(12) }, () =>
      rule({
        resource: pick<AccessResource>(['topic', 'group']),
        pattern: pick(['literal', 'prefixed'] as const),
        name: pick(['a', 'ab', 'abc', 'b', '*']),
        principal: pick(['User:ann', 'User:bob', 'User:*']),
        host: pick(['*', '10.0.0.1']),
        operation: pick(['all', 'read', 'write', 'describe', 'alter-configs', 'describe-configs'] as const),
        permission: pick(['allow', 'allow', 'deny'] as const),
      }),
    )
    const { access, table } = control(rules)
    let left = rules
    if (random.below(2) === 0) {
      const gone = pick(rules)
      table.apply(noRuleSetting(gone))
      left = rules.filter((each) => JSON.stringify(each) !== JSON.stringify(gone))
    }
    for (const asker of [ann, bob]) {
      for (const operation of operationsOf.topic) {
        for (const name of ['a', 'ab', 'abcd', 'b', 'c', '*']) {
          const about = left.filter(
            (each) =>
              each.resource === 'topic' &&
              (each.pattern === 'prefixed' ? name.startsWith(each.name) : each.name === name || each.name === '*') &&
              [asker.principal.name, 'User:*'].includes(each.principal) &&
              [asker.host, '*'].includes(each.host),
          )
          const denied = about.some((each) => each.permission === 'deny' && ['all', operation].includes(each.operation))
          const granting = ['all', operation, ...(implied[operation] ?? [])]
          const allowed = about.some((each) => each.permission === 'allow' && granting.includes(each.operation))
          assert.equal(
            access.may(asker, operation, 'topic', name),
            allowed && !denied,
            `seed ${seed} (to replay it alone, let the loop begin there): ${asker.principal.name} ${operation} ${name}`,
          )
        }
      }
    }
  }
})

test('filters', () => {
  const anything: RuleFilter = {
    resource: null,
    name: null,
    pattern: null,
    principal: null,
    host: null,
    operation: null,
    permission: null,
  }
  const prefixed = rule({ pattern: 'prefixed', name: 'sa' })
  const all = rule({ name: '*' })
  const those = (filter: Partial<RuleFilter>) =>
    [rule(), prefixed, all].map((each) => passes(each, { ...anything, ...filter }))
  assert.deepEqual(those({}), [true, true, true])
  assert.deepEqual(those({ name: 'sales' }), [true, false, false])
  assert.deepEqual(those({ name: 'sales', pattern: 'match' }), [true, true, true])
  assert.deepEqual(those({ name: 'sal', pattern: 'match' }), [false, true, true])
  assert.deepEqual(those({ pattern: 'match' }), [true, true, true])
  assert.deepEqual(those({ pattern: 'prefixed' }), [false, true, false])
  assert.deepEqual(those({ name: '*', pattern: 'literal' }), [false, false, true])
  assert.deepEqual(those({ operation: 'all' }), [false, false, false])
  assert.deepEqual(those({ principal: 'User:ann', host: '*', permission: 'allow', operation: 'read' }), [
    true,
    true,
    true,
  ])
  assert.deepEqual(those({ resource: 'group' }), [false, false, false])
})

test('rules that nobody could mean', () => {
  for (const over of [
    { name: '' },
    { principal: 'ann' },
    { principal: 'User:' },
    { host: '' },
    { resource: 'cluster', name: 'shop' },
    { resource: 'cluster', name: 'kafka-cluster', pattern: 'prefixed' },
    { name: 'x'.repeat(1_001) },
  ] as const) {
    assert.throws(() => checkRule(rule(over)), /./, JSON.stringify(over).slice(0, 50))
  }
  checkRule(rule({ resource: 'cluster', name: 'kafka-cluster' }))
  checkRule(rule({ name: 'x'.repeat(1_000), principal: 'User:CN=shop,O=Example' }))
})

test('a name of any length is decided about quickly; beginnings come and go with their rules', () => {
  const twice = [
    rule({ pattern: 'prefixed', name: 'sal' }),
    rule({ pattern: 'prefixed', name: 'sal', host: '10.0.0.1' }),
  ]
  const { access, table } = control([...twice, rule({ pattern: 'prefixed', name: 'x'.repeat(1_000) })])
  const long = `s${'a'.repeat(32_000)}`
  // Each beginning of each of these looked up: some ten thousand million characters.
  for (let i = 0; i < 20_000; i++) assert.equal(access.may(ann, 'read', 'topic', `${long}${i}`), false)
  assert.ok(access.may(ann, 'read', 'topic', `sal${long}`))
  table.apply(noRuleSetting(twice[0]!))
  assert.ok(access.may(ann, 'read', 'topic', 'sales'))
  table.apply(noRuleSetting(twice[1]!))
  assert.equal(access.may(ann, 'read', 'topic', 'sales'), false)
  assert.ok(access.may(ann, 'read', 'topic', 'x'.repeat(1_001)))
})
