// The printed table is what people read: figures keep three digits, columns line up, ratios say how much better ours is.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { figure, sectionJson, sectionText } from './report.ts'

const figures: readonly (readonly [number, string])[] = [
  [0.004, '0.00'],
  [0.425, '0.42'],
  [9.999, '10.00'],
  [12.34, '12.3'],
  [371.6, '372'],
  [2902, '2,902'],
  [9_994, '9,994'],
  [9_995, '9.99 k'],
  [371_400, '371 k'],
  [999_600, '1.00 M'],
  [14_600_000, '14.6 M'],
]
for (const [value, text] of figures) test(`figure ${value} is ${text}`, () => assert.equal(figure(value), text))

const report = {
  title: 'B1',
  measured: [
    { what: 'cold', unit: 'events/s', ours: [3e6, 1e6, 2e6], peer: { name: 'DuckDB', values: [1e6] } },
    { what: 'memory', unit: 'MB', ours: [80], peer: { name: 'DuckDB', values: [400] } },
    { what: 'start', unit: 'ms', ours: [250], peer: null },
  ],
  notes: ['1,399 rows equal'],
  skipped: ['Flink: not started'],
} as const

test('section as text', () => {
  assert.equal(
    sectionText(report),
    `## B1

| what   | unit     | ours   | peer          | ratio | ours min - median - max  | peer min - median - max |
|--------|----------|--------|---------------|-------|--------------------------|-------------------------|
| cold   | events/s | 2.00 M | 1.00 M DuckDB | 2.00x | 1.00 M - 2.00 M - 3.00 M | -                       |
| memory | MB       | 80.0   | 400 DuckDB    | 5.00x | -                        | -                       |
| start  | ms       | 250    |               |       | -                        |                         |

- 1,399 rows equal
- left out: Flink: not started
`,
  )
})

test('section as JSON keeps every run', () => {
  const json = JSON.parse(JSON.stringify(sectionJson('b1', report)))
  assert.deepEqual(json.measured[0], {
    what: 'cold',
    unit: 'events/s',
    ours: { min: 1e6, median: 2e6, max: 3e6, runs: 3, values: [3e6, 1e6, 2e6] },
    peer: { name: 'DuckDB', min: 1e6, median: 1e6, max: 1e6, runs: 1, values: [1e6] },
    ratio: 2,
  })
  assert.equal('peer' in json.measured[2], false)
})
