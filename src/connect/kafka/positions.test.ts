// Places in a cluster: one text each, and only their own texts are read.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Cursor, LogError } from '../../log/log.ts'
import { randomStream } from '../../std/random.ts'
import { Positions, ticksId, topicIdText } from './positions.ts'

const idOf = (n: number): string => topicIdText(new Uint8Array(16).fill(n))

test('a place has one text, whichever way it was reached, and is read back from it', () => {
  const seed = process.env.SEED ?? String(process.pid)
  const random = randomStream(`${seed} positions`)
  for (let round = 0; round < 200; round++) {
    const steps: [id: string, partition: number, offset: number][] = []
    for (let i = random.below(20); i >= 0; i--) {
      const id = random.below(4) === 0 ? ticksId : idOf(random.below(5))
      const partition = id === ticksId ? 0 : random.below(6)
      steps.push([id, partition, random.below(1000)])
    }
    const last = new Map(steps.map((step) => [`${step[0]}/${step[1]}`, step]))
    const [one, other] = [new Positions(), new Positions()]
    for (const step of steps) one.set(...step)
    for (const step of [...last.values()].reverse()) other.set(...step)
    const again = `SEED=${seed} npm test -- src/connect/kafka/positions`
    assert.equal(one.cursor(), other.cursor(), again)
    const read = Positions.of(JSON.parse(JSON.stringify(one.cursor())) as Cursor)
    assert.equal(read.cursor(), one.cursor(), again)
    assert.deepEqual([read.total, read.isAtOrBehind(one), one.isAtOrBehind(read)], [one.total, true, true], again)
  }
})

test('the text as it is kept', () => {
  const positions = new Positions()
  assert.equal(positions.cursor(), 'k1|t0')
  positions.set(idOf(2), 3, 40)
  positions.set(idOf(1), 0, 7)
  positions.set(idOf(1), 2, 0)
  positions.set(ticksId, 0, 5)
  assert.equal(positions.cursor(), 'k1|t5|AQEBAQEBAQEBAQEBAQEBAQ:7|AgICAgICAgICAgICAgICAg:0,0,0,40')
  assert.equal(positions.total, 52)
  assert.equal(positions.isAtOrBehind(Positions.of('k1|t4|AQEBAQEBAQEBAQEBAQEBAQ:7' as Cursor)), true)
  assert.equal(positions.isAtOrBehind(Positions.of('k1|t4|AQEBAQEBAQEBAQEBAQEBAQ:8' as Cursor)), false)
})

test('what is no cursor of a cluster is refused', () => {
  for (const text of [
    '',
    'j12',
    'k2|t0',
    'k1',
    'k1|x',
    'k1|t0|short:1',
    'k1|t0|AQEBAQEBAQEBAQEBAQEBAQ:',
    'k1|t-1',
    'k1|t0|',
  ]) {
    const isRefused = (error: unknown): boolean => error instanceof LogError && error.code === 'OFFSET_OUT_OF_RANGE'
    assert.throws(() => Positions.of(text as Cursor), isRefused, text)
  }
})
