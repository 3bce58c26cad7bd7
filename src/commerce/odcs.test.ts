// Contracts as Open Data Contracts: one whole as a golden, all of them in the shape that the standard's schema asks for,
// and the page that is printed from them. After a wanted change: UPDATE_GOLDENS=1 npm test -- src/commerce/odcs
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { from } from '../query/query.ts'
import {
  contracts,
  contractVersions,
  odcs,
  productMetricsRows,
  topicPage,
  topicsPage,
  transactions,
} from './commerce.ts'
import type { OdcsElement, OdcsProperty } from './odcs.ts'

// Text, not .json, so that no formatter changes what the command prints.
const golden = (name: string, seen: string): void => {
  const file = new URL(name, import.meta.url)
  if (process.env.UPDATE_GOLDENS) writeFileSync(file, seen)
  assert.equal(seen, readFileSync(file, 'utf8'))
}

test('transactions as ODCS: money, lists of objects, rules, key and identity', () => {
  golden('odcs.golden.txt', `${JSON.stringify(odcs(transactions), null, 2)}\n`)
})

// What the JSON schema of the standard (v3.1.0) allows where we write.
const optionsOf: Readonly<Record<OdcsElement['logicalType'], readonly string[]>> = {
  string: ['format', 'pattern', 'minLength', 'maxLength'],
  date: ['format'],
  timestamp: ['format', 'timezone', 'defaultTimezone'],
  integer: ['format', 'minimum', 'exclusiveMinimum', 'multipleOf'],
  number: ['format', 'minimum', 'exclusiveMinimum', 'multipleOf'],
  boolean: [],
  object: ['required'],
  array: ['minItems', 'maxItems'],
}
const propertyKeys = new Set(
  'name logicalType physicalType logicalTypeOptions properties items description required primaryKey primaryKeyPosition unique partitioned partitionKeyPosition quality customProperties'.split(
    ' ',
  ),
)
const qualityKeys = new Set('name description type metric arguments mustBe dimension severity'.split(' '))

function checkElement(element: OdcsElement, path: string): void {
  for (const option of Object.keys(element.logicalTypeOptions ?? {}))
    assert.ok(
      optionsOf[element.logicalType].includes(option),
      `${path}: ${element.logicalType} has no option ${option}`,
    )
  assert.equal(element.properties !== undefined, element.logicalType === 'object', path)
  assert.equal(element.items !== undefined, element.logicalType === 'array', path)
  for (const one of element.properties ?? []) checkProperty(one, `${path}.${one.name}`)
  if (element.items) checkElement(element.items, `${path}[]`)
}
function checkProperty(property: OdcsProperty, path: string): void {
  for (const key of Object.keys(property)) assert.ok(propertyKeys.has(key), `${path}: unknown key ${key}`)
  assert.ok(property.name !== '' && property.description.length > 3, path)
  for (const check of property.quality ?? []) {
    for (const key of Object.keys(check)) assert.ok(qualityKeys.has(key), `${path}: unknown key ${key} in quality`)
    assert.equal(check.type, 'library')
    assert.ok(['nullValues', 'missingValues', 'invalidValues', 'duplicateValues'].includes(check.metric))
    assert.ok(['completeness', 'conformity', 'uniqueness'].includes(check.dimension))
  }
  checkElement(property, path)
}

test('every contract has the shape of the standard', () => {
  const ids = new Set<string>()
  for (const contract of contracts.values()) {
    const open = odcs(contract)
    assert.deepEqual(JSON.parse(JSON.stringify(open)), open, 'it is JSON')
    assert.deepEqual(Object.keys(open), [
      'apiVersion',
      'kind',
      'id',
      'name',
      'version',
      'status',
      'domain',
      'description',
      'schema',
      'slaProperties',
      'customProperties',
    ])
    assert.deepEqual([open.apiVersion, open.kind, open.status], ['v3.1.0', 'DataContract', 'active'])
    assert.match(open.version, /^\d+\.\d+\.\d+$/)
    ids.add(open.id)
    const [object] = open.schema
    assert.equal(open.schema.length, 1)
    assert.ok(object)
    assert.deepEqual(
      object.properties.map(({ name }) => name),
      Object.keys(contract.fields),
    )
    for (const property of object.properties) checkProperty(property, `${contract.topic}.${property.name}`)
    const named = (flag: (property: OdcsProperty) => boolean): string[] =>
      object.properties.filter(flag).map(({ name }) => name)
    assert.deepEqual(
      named(({ primaryKey }) => primaryKey === true),
      contract.identity === undefined ? [] : [contract.identity],
    )
    assert.deepEqual(
      named(({ partitioned }) => partitioned === true),
      [contract.key],
    )
    for (const { element, value } of open.slaProperties) {
      assert.equal(element, `${contract.topic}.${contract.eventTime}`)
      assert.ok(value > 0)
    }
  }
  assert.equal(ids.size, contracts.size)
})

const schemaFile = process.env.MILLRACE_ODCS_SCHEMA
test("every version of every contract is valid by the standard's own JSON schema", {
  skip: schemaFile ? false : 'MILLRACE_ODCS_SCHEMA names no odcs-3.1.0.schema.json',
}, async () => {
  // Ajv comes with Fastify; no name for the type checker, for it is nothing that we depend on.
  const name: string = 'ajv/dist/2019.js'
  const { default: ajv } = await import(name)
  const validate = new ajv.default({ strict: false, validateFormats: false }).compile(
    JSON.parse(readFileSync(schemaFile!, 'utf8')),
  )
  for (const topic of contracts.keys())
    for (const contract of contractVersions(topic)) {
      const open = JSON.parse(JSON.stringify(odcs(contract)))
      assert.ok(validate(open), `${topic} ${contract.version}: ${JSON.stringify(validate.errors)}`)
    }
  assert.ok(!validate({ ...JSON.parse(JSON.stringify(odcs(transactions))), kind: 'Else' }), 'the schema refuses')
})

test('docs/topics.md is what the contracts say', () => {
  const page = readFileSync(new URL('../../docs/topics.md', import.meta.url), 'utf8')
  assert.equal(page, topicsPage(contracts.values()), 'npm run docs:topics prints it anew')
  for (const contract of contracts.values()) assert.ok(page.includes(topicPage(contract).trimEnd()))
})

test('topics that a pipeline writes are told as results; a query cannot start where the event time is no timestamp', () => {
  const results = [...contracts.values()].filter(({ origin }) => origin === 'result').map(({ topic }) => topic)
  assert.deepEqual(results.slice(0, 3), ['sales-events', 'processed-orders', 'product-metrics'])
  assert.ok(results.includes('fraud-alerts'))
  assert.throws(() => from(productMetricsRows), /window_end.*of type int64/)
})
