// The command line of the bench: defaults, the full work, and what it refuses.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseOptions, sectionNames } from './options.ts'

function options(...given: string[]) {
  const parsed = parseOptions(given)
  assert.ok(parsed !== 'help')
  return parsed
}

test('without arguments: every section, half a million events, three runs', () => {
  const { sections, events, runs, quick, json, kafka } = options()
  assert.deepEqual(
    { sections, events, runs, quick, json, kafka },
    {
      sections: [...sectionNames],
      events: 500_000,
      runs: 3,
      quick: false,
      json: null,
      kafka: null,
    },
  )
})

test('sections run in their own order, whatever order they are asked for', () => {
  assert.deepEqual(options('start', 'b2', 'b1').sections, ['b1', 'b2', 'start'])
})

test('--quick lowers what was not given', () => {
  const { events, runs } = options('--quick', '--events', '2_000_000')
  assert.deepEqual({ events, runs }, { events: 2_000_000, runs: 1 })
})

test('what cannot be meant is refused', () => {
  assert.throws(() => parseOptions(['b9']), /no section "b9"; sections are b1, b2/)
  assert.throws(() => parseOptions(['--events', '0']), /whole number above 0, not 0/)
  assert.throws(() => parseOptions(['--runs', 'many']), /whole number above 0, not many/)
  assert.throws(() => parseOptions(['--fast']), /--fast/)
})
