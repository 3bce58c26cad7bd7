// Rows as bytes are the rows as text: by the kernel and by JSON, for every kind of value, null and odd text.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { contract, field, nullable } from '../query/contract.ts'
import { from, staticTable } from '../query/query.ts'
import { randomStream } from '../std/random.ts'
import { batchOf } from './batches.suite.ts'
import { encodeRow, encodeRows, resultRow } from './engine.ts'
import { EngineJob } from './job.ts'
import { openDecoder } from './kernel/kernel-decoder.ts'
import { rowDecoder } from './row-decoder.ts'

const things = contract({
  topic: 'things',
  version: 1,
  partitions: 2,
  key: 'id',
  eventTime: 'at',
  outOfOrderMs: 0,
  idleTimeoutMs: 0,
  futureLimitMs: 0,
  fields: {
    id: field({ kind: 'string' }, 'Which one.'),
    at: field({ kind: 'timestamp' }, 'When.'),
    seen: nullable({ kind: 'timestamp' }, 'When seen.'),
    day: nullable({ kind: 'date' }, 'On which day.'),
    note: nullable({ kind: 'string' }, 'Said of it.'),
    price: nullable({ kind: 'money', scale: 2, currency: 'EUR' }, 'Costs.'),
    fine: nullable({ kind: 'decimal', scale: 9 }, 'In small units.'),
    count: nullable({ kind: 'int64' }, 'How many.'),
    share: nullable({ kind: 'float64' }, 'Of all.'),
    good: nullable({ kind: 'bool' }, 'Is it.'),
    shelf: nullable({ kind: 'string' }, 'Where it lies.', { default: 's1' }),
  },
  doc: 'Things.',
})
const shelves = staticTable({
  name: 'shelves',
  columns: { room: { kind: 'string' } },
  rows: { s1: { room: 'Keller "1"' }, s2: { room: 'Dach\\boden' } },
})
const seed = process.env.MILLRACE_SEED ?? 'encoded-rows'

function records(): string[] {
  const random = randomStream(seed)
  const pick = <T>(values: readonly T[]): T => values[random.below(values.length)]!
  const one = (i: number): string => {
    const values: Record<string, string | undefined> = {
      id: `"${pick(['a', 'long text that is more than forty-eight bytes long, so copied whole ', 'Jatobá', '😀'])}${i}"`,
      at: `"2026-0${1 + random.below(9)}-01T00:00:0${random.below(9)}.${100 + random.below(900)}Z"`,
      seen: pick([
        undefined,
        'null',
        '"1969-12-31T23:59:59.999Z"',
        '"2026-03-01T10:00:00+01:00"',
        '"0001-01-01T00:00:00Z"',
      ]),
      day: pick([undefined, '"2026-02-28"']),
      note: pick([
        undefined,
        'null',
        '""',
        '"plain"',
        '"esc\\n\\"aped"',
        '"\\u00e9"',
        '"\\u2028"',
        `"${'x'.repeat(random.below(90))}"`,
      ]),
      price: pick([
        undefined,
        '0',
        '-0.05',
        '12.5',
        '12.50',
        '21474836.47',
        '21474836.48',
        '-21474836.49',
        '99999999999.99',
      ]),
      fine: pick([undefined, '0.000000001', '1.5', '-2']),
      count: pick([undefined, '0', '-1', '2147483647', '2147483648', '-2147483648', '9007199254740991']),
      share: pick([undefined, '0.1', '1e21', '-0.0', '5']),
      good: pick([undefined, 'true', 'false']),
      shelf: pick([undefined, '"s1"', '"s2"', '"s9"']),
    }
    const members = Object.entries(values).filter(([, value]) => value !== undefined)
    return `{${members.map(([name, value]) => `"${name}":${value}`).join()}}`
  }
  return Array.from({ length: 600 }, (_, i) => one(i))
}

for (const times of ['iso-seconds', 'iso-milliseconds', 'epoch-seconds', 'epoch-milliseconds'] as const)
  test(`rows of a plan without windows, ${times}`, () => {
    const plan = from(things).lookup(shelves, { by: 'shelf', unknown: 'null' }).output({ times }).named('rows')
    const found = [openDecoder, rowDecoder].map((open) => {
      const job = new EngineJob([plan], open, { bounded: true })
      const lines: string[] = []
      const given = records()
      for (let from = 0; from < given.length; from += 150) {
        job.push(batchOf('things', (from / 150) % 2, from, given.slice(from, from + 150)))
        if (from === 150) continue
        for (const batch of job.take().results) {
          const { bytes, ends } = encodeRows(batch)
          const text = Buffer.from(bytes)
          for (let row = 0; row < batch.count; row++) {
            const line = text.subarray(row === 0 ? 0 : ends[row - 1]!, ends[row]).toString()
            assert.equal(line, `${encodeRow(batch, row)}\n`, `seed ${seed}`)
            assert.equal(JSON.parse(line).id, resultRow(batch, row).id)
            assert.deepEqual(batch.evidence(row).length, 1)
            lines.push(line)
          }
        }
      }
      return lines
    })
    assert.equal(found[0]!.length, 600)
    assert.deepEqual(found[0], found[1])
  })
