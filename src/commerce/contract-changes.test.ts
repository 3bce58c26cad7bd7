// What changes between versions of contracts, whom it hurts, and that no version of ours hurts old records unsaid.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Contract, contract, type Fields, field, nullable } from '../query/contract.ts'
import { contractChanges, contracts, contractVersions, isBreaking } from './commerce.ts'
import { breakingVersions } from './contract-versions.ts'

const of = (fields: Fields, more: Partial<Contract> = {}): Contract => ({
  ...contract({
    topic: 't',
    version: 1,
    partitions: 3,
    key: 'id',
    eventTime: 'at',
    outOfOrderMs: 1,
    idleTimeoutMs: 1,
    futureLimitMs: 1,
    fields: { id: field({ kind: 'string' }, 'id'), at: field({ kind: 'timestamp' }, 'at') },
    doc: 'doc',
  }),
  ...more,
  fields: { id: field({ kind: 'string' }, 'id'), at: field({ kind: 'timestamp' }, 'at'), ...fields },
})
const text = field({ kind: 'string' }, 'x')
const whole = field({ kind: 'int64' }, 'x')
const oneOf = (...values: string[]) => field({ kind: 'string' }, 'x', { rules: [{ rule: 'one-of', values }] })
const least = (bound: number) => field({ kind: 'int64' }, 'x', { rules: [{ rule: 'at-least', bound }] })
const inside = (fields: Fields) => field({ kind: 'array', of: { kind: 'struct', fields } }, 'x')

const table: readonly (readonly [name: string, before: Contract, after: Contract, seen: readonly string[]])[] = [
  ['nothing', of({ x: text }), of({ x: text }), []],
  ['an optional field more', of({}), of({ x: nullable({ kind: 'string' }, 'x') }), ['x added, optional +b +f']],
  ['a required field more', of({}), of({ x: text }), ['x added, required -b +f']],
  ['a field less', of({ x: text }), of({}), ['x removed +b -f']],
  [
    'another name with the old one as alias',
    of({ x: text }),
    of({ y: field({ kind: 'string' }, 'x', { aliases: ['x'] }) }),
    ['x renamed to y, alias kept +b -f', 'y alias x added +b -f'],
  ],
  ['another name without', of({ x: text }), of({ y: text }), ['x removed +b -f', 'y added, required -b +f']],
  ['wider', of({ x: whole }), of({ x: field({ kind: 'float64' }, 'x') }), ['x type widened: int64 -> float64 +b -f']],
  [
    'more decimals',
    of({ x: field({ kind: 'money', scale: 2, currency: 'USD' }, 'x') }),
    of({ x: field({ kind: 'money', scale: 3, currency: 'USD' }, 'x') }),
    ['x type widened: money(2 USD) -> money(3 USD) +b -f'],
  ],
  ['another type', of({ x: whole }), of({ x: text }), ['x type changed: int64 -> string -b -f']],
  ['a value more', of({ x: oneOf('a') }), of({ x: oneOf('a', 'b') }), ['x values added: b +b -f']],
  ['a value less', of({ x: oneOf('a', 'b') }), of({ x: oneOf('a') }), ['x values gone: b -b +f']],
  ['a stricter bound', of({ x: least(0) }), of({ x: least(5) }), ['x bound 0 -> 5 -b +f']],
  ['a rule more', of({ x: whole }), of({ x: least(5) }), ['x rule at-least added -b +f']],
  [
    'in a list of objects',
    of({ x: inside({ a: text }) }),
    of({ x: inside({ a: text, b: text }) }),
    ['x[].b added, required -b +f'],
  ],
  ['another key', of({ x: text }), of({ x: text }, { key: 'x' }), [' key id -> x -b -f']],
]
for (const [name, before, after, seen] of table)
  test(`a contract changes: ${name}`, () => {
    const sign = (holds: boolean): string => (holds ? '+' : '-')
    const changes = contractChanges(before, after)
    assert.deepEqual(
      changes.map(({ path, change, backward, forward }) => `${path} ${change} ${sign(backward)}b ${sign(forward)}f`),
      seen,
    )
    assert.equal(
      isBreaking(changes),
      seen.some((line) => line.includes('-b')),
    )
  })

test('versions of a topic stand side by side, numbered from 1, and none breaks old records without being named', () => {
  let several = 0
  for (const topic of contracts.keys()) {
    const versions = contractVersions(topic)
    assert.deepEqual(
      versions.map(({ version }) => version),
      Array.from({ length: versions.length }, (_, i) => i + 1),
    )
    assert.equal(versions.at(-1), contracts.get(topic))
    for (const [i, after] of versions.slice(1).entries()) {
      several++
      const changes = contractChanges(versions[i]!, after)
      assert.ok(changes.length > 0, `${topic} ${after.version} changes nothing`)
      assert.equal(
        isBreaking(changes),
        breakingVersions.includes(`${topic} ${after.version}`),
        `${topic} ${after.version}`,
      )
    }
  }
  assert.ok(several >= 3)
})
