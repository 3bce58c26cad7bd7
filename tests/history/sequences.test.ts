// The book of sequences finds a gap, a repetition and an exchange, and nothing in what is in order.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BatchWriter } from '../../src/wire/batch-writer.ts'
import { SequenceBook } from './sequences.ts'

function batch(baseSequence: number, count: number, producerEpoch = 0): Uint8Array {
  const writer = new BatchWriter()
  for (let i = 0; i < count; i++) writer.append(null, Buffer.from('v'), 1_000)
  return writer.finish({ producerId: 7n, producerEpoch, baseSequence })
}
function faultsOf(...batches: readonly Uint8Array[]): readonly string[] {
  const book = new SequenceBook()
  for (const each of batches) book.note('t/0', each)
  assert.equal(book.batches, batches.length)
  return book.faults
}

test('sequences of an epoch follow each other, wherever they begin', () => {
  assert.deepEqual(faultsOf(batch(4, 2), batch(6, 3), batch(0, 1, 1), batch(9, 1), batch(1, 1, 1)), [])
  assert.deepEqual(faultsOf(batch(2 ** 31 - 1, 1), batch(0, 1)), [])
  assert.match(faultsOf(batch(0, 2), batch(3, 1))[0]!, /sequence 3 at offset 0, where 2 was to come/)
  assert.match(faultsOf(batch(0, 2), batch(0, 2))[0]!, /sequence 0 .*, where 2 was to come/)
  assert.equal(faultsOf(batch(0, 1), batch(2, 1), batch(1, 1)).length, 2)
})
