// The APIs of access rules over the wire: what they take, refuse and tell; and how rules show in answers of other APIs.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { kafkaErrors } from '../../wire/wire.ts'
import { accessRulesMax } from '../security/access-control.ts'
import { ruleSetting } from '../security/access-rules.ts'
import { securityOf } from '../security/security.ts'
import { opened, world } from './server.suite.ts'

const { NONE, INVALID_REQUEST, SECURITY_DISABLED } = kafkaErrors
const creation = {
  resourceType: 2,
  resourceName: 'sales',
  resourcePatternType: 3,
  principal: 'User:ann',
  host: '*',
  operation: 3,
  permissionType: 3,
}
const filter = {
  resourceTypeFilter: 1,
  resourceNameFilter: null,
  patternTypeFilter: 1,
  principalFilter: null,
  hostFilter: null,
  operation: 1,
  permissionType: 1,
}

test('without access control: SECURITY_DISABLED, in every version', async () => {
  const { client } = await opened()
  for (const version of [1, 2, 3]) {
    assert.equal((await client.ask('describeAcls', version, filter)).errorCode, SECURITY_DISABLED)
    assert.equal(
      (await client.ask('createAcls', version, { creations: [creation] })).results[0]?.errorCode,
      SECURITY_DISABLED,
    )
    const { filterResults } = await client.ask('deleteAcls', version, { filters: [filter] })
    assert.equal(filterResults[0]?.errorCode, SECURITY_DISABLED)
  }
})

test('create, describe, delete, in every version; what no rule can be is refused by itself', async () => {
  const { client, core } = await opened({}, ['User:ANONYMOUS'])
  for (const version of [1, 2, 3]) {
    const more = [
      creation,
      { ...creation, principal: 'User:bob' },
      { ...creation, resourceName: 'shop-', resourcePatternType: 4, permissionType: 2 },
      { ...creation, resourceType: 4, resourceName: 'kafka-cluster' },
      creation,
    ]
    const wrong = [
      { ...creation, resourceType: 1 },
      { ...creation, resourceType: 6 },
      { ...creation, resourcePatternType: 2 },
      { ...creation, operation: 1 },
      { ...creation, permissionType: 1 },
      { ...creation, principal: 'ann' },
      { ...creation, resourceName: '' },
      { ...creation, resourceType: 4 },
    ]
    const { results } = await client.ask('createAcls', version, { creations: [...more, ...wrong] })
    assert.deepEqual(
      results.map(({ errorCode }) => errorCode),
      [...more.map(() => NONE), ...wrong.map(() => INVALID_REQUEST)],
    )
    const all = await client.ask('describeAcls', version, filter)
    assert.deepEqual(
      all.resources.map(({ resourceType, resourceName, patternType, acls }) => [
        resourceType,
        resourceName,
        patternType,
        acls.map(
          ({ principal, host, operation, permissionType }) => `${principal} ${host} ${operation} ${permissionType}`,
        ),
      ]),
      [
        [2, 'sales', 3, ['User:ann * 3 3', 'User:bob * 3 3']],
        [2, 'shop-', 4, ['User:ann * 3 2']],
        [4, 'kafka-cluster', 3, ['User:ann * 3 3']],
      ],
    )
    const some = await client.ask('describeAcls', version, {
      ...filter,
      resourceTypeFilter: 2,
      resourceNameFilter: 'shop-7',
      patternTypeFilter: 2,
    })
    assert.deepEqual(
      some.resources.map(({ resourceName }) => resourceName),
      ['shop-'],
    )
    assert.equal((await client.ask('describeAcls', version, { ...filter, operation: 99 })).errorCode, INVALID_REQUEST)
    const { filterResults } = await client.ask('deleteAcls', version, {
      filters: [{ ...filter, principalFilter: 'User:bob' }, filter, { ...filter, permissionType: 0 }],
    })
    assert.deepEqual(
      filterResults.map(({ errorCode, matchingAcls }) => [errorCode, matchingAcls.length]),
      [
        [NONE, 1],
        [NONE, 4],
        [INVALID_REQUEST, 0],
      ],
    )
    assert.deepEqual(core.settings.all(), [])
  }
})

test('so many rules are kept, and no more', async () => {
  const { client, core } = await opened({}, ['User:ANONYMOUS'])
  const rules = Array.from({ length: accessRulesMax - 1 }, (_, i) =>
    ruleSetting({
      resource: 'topic',
      pattern: 'literal',
      name: `topic-${i}`,
      principal: 'User:ann',
      host: '*',
      operation: 'read',
      permission: 'allow',
    }),
  )
  await core.settings.set(rules)
  const creations = ['last', 'one too many'].map((resourceName) => ({ ...creation, resourceName }))
  const { results } = await client.ask('createAcls', 3, { creations })
  assert.deepEqual(
    results.map(({ errorCode }) => errorCode),
    [NONE, INVALID_REQUEST],
  )
})

test('authorized operations: what rules say, as bits; everything for a super user', async () => {
  const { core, client } = await opened({}, ['root'])
  const topic = await core.createTopic({ name: 'sales', partitions: 1 })
  await core.createTopic({ name: 'hidden', partitions: 1 })
  const allow = (resource: 'topic' | 'group' | 'cluster', name: string, operation: 'read' | 'describe' | 'alter') =>
    ruleSetting({
      resource,
      name,
      operation,
      pattern: 'literal',
      principal: 'User:ANONYMOUS',
      host: '127.0.0.1',
      permission: 'allow',
    })
  await core.settings.set([
    allow('topic', 'sales', 'read'),
    allow('group', 'g', 'describe'),
    allow('topic', 'sales', 'alter'),
  ])
  const asked = await client.ask('metadata', 9, {
    topics: null,
    includeTopicAuthorizedOperations: true,
    includeClusterAuthorizedOperations: true,
  })
  const bits = (...operations: readonly number[]) => operations.reduce((sum, each) => sum | (1 << each), 0)
  assert.deepEqual(
    asked.topics.map(({ name, topicAuthorizedOperations }) => [name, topicAuthorizedOperations]),
    [['sales', bits(3, 7, 8)]],
  )
  assert.equal(asked.clusterAuthorizedOperations, 0)
  const byId = await client.ask('metadata', 12, { topics: [{ name: null, topicId: core.topic('hidden')!.id }] })
  assert.deepEqual(
    byId.topics.map(({ name, errorCode }) => [name, errorCode]),
    [[null, kafkaErrors.TOPIC_AUTHORIZATION_FAILED]],
  )
  assert.equal(topic.partitions, 1)
  const { groups } = await client.ask('describeGroups', 3, { groups: ['g', 'h'], includeAuthorizedOperations: true })
  assert.deepEqual(
    groups.map(({ errorCode, authorizedOperations }) => [errorCode, authorizedOperations]),
    [
      [NONE, bits(8)],
      [kafkaErrors.GROUP_AUTHORIZATION_FAILED, -2147483648],
    ],
  )
  // The cluster's own bits, for somebody who may everything.
  const all = await opened({}, ['User:ANONYMOUS'])
  const cluster = await all.client.ask('metadata', 8, { topics: [], includeClusterAuthorizedOperations: true })
  assert.equal(cluster.clusterAuthorizedOperations, bits(5, 7, 8, 9, 10, 11, 12))
})

test('rules that the disk may have lost: nobody but super users may do anything', () => {
  const rule = ruleSetting({
    resource: 'topic',
    pattern: 'literal',
    name: '*',
    principal: 'User:*',
    host: '*',
    operation: 'all',
    permission: 'allow',
  })
  for (const damage of ['lost', null]) {
    const settings = { all: () => [rule], onChange: () => () => {}, set: async () => {}, damage }
    const { access } = securityOf(world, settings, ['root'])
    const may = (name: string) => access.may({ principal: { name }, host: '127.0.0.1' }, 'read', 'topic', 't')
    assert.deepEqual([may('User:root'), may('User:ann')], [true, damage === null])
    assert.equal(access.mayAny({ principal: { name: 'User:ann' }, host: '::1' }, 'write', 'topic'), damage === null)
  }
})
