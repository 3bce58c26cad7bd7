// Idempotent producers against a model of a few lines: every short sequence of batches, with crashes in between.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LogError } from '../log/log.ts'
import { randomStream } from '../std/random.ts'
import { machine, p0, p1, produced, readValues, refused } from './broker.suite.ts'
import { judgeBatch, lastSequenceOf, type ProducerWindow, withBatch } from './producer-window.ts'

const wrap = 2 ** 31
type Answer = string

/** The rules in their plainest form: a list of all batches ever taken, searched from its end. */
class Model {
  readonly #taken: { epoch: number; first: number; last: number; offset: number }[] = []
  #end = 0

  append(epoch: number, first: number, count: number): Answer {
    const last = (first + count - 1) % wrap
    const newest = this.#taken.at(-1)
    if (newest !== undefined) {
      if (epoch < newest.epoch) return 'INVALID_PRODUCER_EPOCH'
      if (epoch > newest.epoch) {
        if (first !== 0) return 'OUT_OF_ORDER_SEQUENCE_NUMBER'
      } else {
        const same = this.#taken.filter((batch) => batch.epoch === epoch)
        const repeated = same.slice(-5).find((batch) => batch.first === first && batch.last === last)
        if (repeated !== undefined) return String(repeated.offset)
        if (first !== (newest.last + 1) % wrap) return 'OUT_OF_ORDER_SEQUENCE_NUMBER'
      }
    }
    const offset = this.#end
    this.#taken.push({ epoch, first, last, offset })
    this.#end += count
    return String(offset)
  }
}

function judged(window: ProducerWindow | undefined, epoch: number, first: number, count: number, end: number) {
  const last = lastSequenceOf(first, count - 1)
  const verdict = judgeBatch(window, epoch, first, last)
  switch (verdict.verdict) {
    case 'append': {
      const kept = { firstSequence: first, lastSequence: last, baseOffset: end, lsn: 0, appendedMs: 0 }
      return { answer: String(end), window: withBatch(window, epoch, kept), end: end + count }
    }
    case 'duplicate':
      return { answer: String(verdict.of.baseOffset), window, end }
    case 'refuse':
      return { answer: verdict.code, window, end }
  }
}

test('every sequence of up to five batches gets the answers of the model', () => {
  const moves: readonly (readonly [epoch: number, first: number, count: number])[] = [
    [0, 0, 1],
    [0, 1, 1],
    [0, 1, 2],
    [0, 3, 1],
    [0, 2, 1],
    [1, 0, 1],
    [1, 1, 1],
    [0, wrap - 1, 2],
  ]
  let sequences = 0
  const reached = new Set<string>()
  const explore = (path: readonly number[]): void => {
    const model = new Model()
    let window: ProducerWindow | undefined
    let end = 0
    for (const move of path) {
      const [epoch, first, count] = moves[move]!
      const expected = model.append(epoch, first, count)
      const got = judged(window, epoch, first, count, end)
      assert.equal(got.answer, expected, `moves ${path.join(' ')}`)
      window = got.window
      end = got.end
      reached.add(/^\d/.test(expected) ? 'offset' : expected)
    }
    sequences++
    if (path.length < 5) for (let move = 0; move < moves.length; move++) explore([...path, move])
  }
  explore([])
  assert.equal(sequences, 1 + 8 + 8 ** 2 + 8 ** 3 + 8 ** 4 + 8 ** 5)
  assert.deepEqual([...reached].sort(), ['INVALID_PRODUCER_EPOCH', 'OUT_OF_ORDER_SEQUENCE_NUMBER', 'offset'])
})

test('long random histories: the window is five batches, sequences wrap', () => {
  for (let seed = 0; seed < 300; seed++) {
    const random = randomStream(`idempotence ${seed}`)
    const model = new Model()
    let window: ProducerWindow | undefined
    let end = 0
    const start = random.below(2) === 0 ? wrap - random.below(30) - 1 : 0
    const sent: [number, number, number][] = []
    let next = start
    let epoch = 0
    for (let i = 0; i < 60; i++) {
      let move: [number, number, number]
      const draw = random.below(10)
      if (draw < 6 || sent.length === 0) {
        move = [epoch, next, 1 + random.below(4)]
        next = (next + move[2]) % wrap
      } else if (draw < 9) move = sent[Math.max(0, sent.length - 1 - random.below(8))]!
      else {
        epoch++
        next = 0
        move = [epoch, 0, 1]
        next = 1
      }
      sent.push(move)
      const expected = model.append(...move)
      const got = judged(window, ...move, end)
      assert.equal(got.answer, expected, `seed ${seed}, step ${i}: ${move.join(' ')}`)
      window = got.window
      end = got.end
    }
  }
})

test('through the broker, with restarts and crashes between any two batches, in two partitions', async () => {
  for (let seed = 0; seed < 12; seed++) {
    const random = randomStream(`restarts ${seed}`)
    const here = machine(`restarts ${seed}`)
    let broker = await here.open()
    await broker.createTopic({ name: 't', partitions: 2 })
    const models = [new Model(), new Model()]
    const next = [0, 0]
    const sent: [number, number, number][][] = [[], []]
    for (let i = 0; i < 40; i++) {
      const at = random.below(2)
      const again = random.below(3) === 0 && sent[at]!.length > 0
      const move: [number, number, number] = again
        ? sent[at]![Math.max(0, sent[at]!.length - 1 - random.below(7))]!
        : [0, next[at]!, 1 + random.below(3)]
      if (!again) next[at]! += move[2]
      sent[at]!.push(move)
      const partition = at === 0 ? p0 : p1
      const answer = await broker.append('t', partition, produced(77, ...move)).then(
        ({ baseOffset }) => String(baseOffset),
        (error: unknown) => {
          if (!(error instanceof LogError)) throw error
          return error.code
        },
      )
      assert.equal(answer, models[at]!.append(...move), `seed ${seed}, step ${i}`)
      const draw = random.below(6)
      if (draw === 0) await broker.close()
      if (draw <= 1) broker = await here.open()
    }
    await broker.close()
  }
})

test('a repeated batch whose first copy is still on its way waits for it, and is appended once', async () => {
  const broker = await machine().open()
  await broker.createTopic({ name: 't', partitions: 1 })
  const batch = produced(3, 0, 0, 2)
  const [first, second] = await Promise.all([broker.append('t', p0, batch), broker.append('t', p0, batch)])
  assert.deepEqual(second, first)
  assert.deepEqual(await readValues(broker, 't'), ['3/0/0', '3/0/1'])
  await broker.close()
})

test('producer ids: never the same twice, epochs raised by whoever holds the current one', async () => {
  const here = machine()
  let broker = await here.open()
  await broker.createTopic({ name: 't', partitions: 1 })
  const ids = new Set<bigint>()
  for (let life = 0; life < 4; life++) {
    for (let i = 0; i < 3; i++) ids.add((await broker.newProducerId()).producerId)
    broker = await here.open()
  }
  assert.equal(ids.size, 12)
  const [id] = ids
  assert.deepEqual(await broker.bumpProducerEpoch(id!, 0), { producerId: id, epoch: 1 })
  await assert.rejects(broker.bumpProducerEpoch(id!, 0), refused('INVALID_PRODUCER_EPOCH'))
  await assert.rejects(broker.bumpProducerEpoch(1n, 0), refused('INVALID_PRODUCER_EPOCH'), 'nobody was given this one')
  broker = await here.open()
  await assert.rejects(broker.append('t', p0, produced(Number(id), 0, 0)), refused('INVALID_PRODUCER_EPOCH'))
  await broker.append('t', p0, produced(Number(id), 1, 0))
  // A client may raise its epoch by itself; then that is where it stands.
  await broker.append('t', p0, produced(Number(id), 5, 0))
  broker = await here.open()
  assert.deepEqual(await broker.bumpProducerEpoch(id!, 5), { producerId: id, epoch: 6 })
  await broker.append('t', p0, produced(Number(id), 32_766, 0))
  const fresh = await broker.bumpProducerEpoch(id!, 32_766)
  assert.equal(fresh.epoch, 0, 'the epochs are used up: a new id')
  assert.ok(!ids.has(fresh.producerId))
  await broker.close()
})
