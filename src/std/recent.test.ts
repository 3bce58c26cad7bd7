// What was used lately is there, what was not is forgotten, and it is never more than the limit; it survives JSON.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { entriesOf, forget, newRecent, peek, type Recent, use } from './recent.ts'

test('the last half of the limit is always there, and no more than the limit', () => {
  let recent = newRecent<{ n: number }>()
  for (let i = 0; i < 1_000; i++) {
    use(recent, `${i % 300}`, 100, () => ({ n: 0 })).n = i
    assert.ok([...entriesOf(recent)].length <= 100)
    for (let back = 0; back < 50; back++) if (i >= back) assert.equal(peek(recent, `${(i - back) % 300}`)?.n, i - back)
    if (i % 97 === 0) recent = JSON.parse(JSON.stringify(recent)) as Recent<{ n: number }>
  }
})
test('names that objects have are keys like others; what was forgotten is gone', () => {
  const recent = newRecent<number[]>()
  for (const key of ['__proto__', 'constructor', '7', '']) {
    assert.equal(peek(recent, key), undefined)
    use(recent, key, 10, () => []).push(1)
    assert.deepEqual(peek(recent, key), [1])
  }
  assert.deepEqual([...entriesOf(recent)].map(([key]) => key).sort(), ['', '7', '__proto__', 'constructor'])
  forget(recent, '__proto__')
  assert.equal(peek(recent, '__proto__'), undefined)
  assert.equal([...entriesOf(recent)].length, 3)
})
