// The schema of the serving store is that of the result topics of today.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { schemaMigrations, schemaSql, stepsTo, tablesAfter } from '../stores/serving.ts'
import { servedTables } from './serving-store.ts'

test('migrations lead to the tables of today, init.sql makes the same', () => {
  const cure = 'run `npm run serving:schema` (before a release: `-- --initial`)'
  const steps = stepsTo(tablesAfter(schemaMigrations), servedTables())
  assert.deepEqual(
    steps.map((step) => `${step.step} ${typeof step.table === 'string' ? step.table : step.table.name}`),
    [],
    cure,
  )
  const file = new URL('../../deploy/sql/init.sql', import.meta.url)
  assert.equal(readFileSync(file, 'utf8'), schemaSql(servedTables()), cure)
})

test('a column more at the end is added where it may be empty; everything else makes the table anew', () => {
  const [table] = servedTables()
  assert.ok(table !== undefined)
  const before = new Map([[table.name, table]])
  const added = { name: 'added', field: 'added', type: { kind: 'text' }, nullable: true } as const
  const kinds = (columns: typeof table.columns) => stepsTo(before, [{ ...table, columns }]).map(({ step }) => step)
  assert.deepEqual(kinds(table.columns), [])
  assert.deepEqual(kinds([...table.columns, added]), ['add-column'])
  assert.deepEqual(kinds([...table.columns, { ...added, nullable: false }]), ['replace'])
  assert.deepEqual(kinds(table.columns.slice(1)), ['replace'])
  assert.deepEqual(kinds([added, ...table.columns]), ['replace'])
  assert.deepEqual(
    stepsTo(before, []).map(({ step }) => step),
    ['drop'],
  )
  const migrated = tablesAfter([
    { name: '1', steps: [{ step: 'create', table }] },
    { name: '2', steps: stepsTo(before, [{ ...table, columns: [...table.columns, added] }]) },
  ])
  assert.deepEqual(migrated.get(table.name)?.columns.at(-1), added)
})
