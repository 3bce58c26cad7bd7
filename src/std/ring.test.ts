// Messages through a ring: sizes, wrapping, who frees, waking.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomStream } from './random.ts'
import { RingReader, RingWriter, ringMemory } from './ring.ts'

test('messages of any size come out as they went in, in order, whoever frees', () => {
  for (let seed = 0; seed < 200; seed++) {
    const random = randomStream(`ring-${seed}`)
    const memory = ringMemory(256)
    const [writer, reader] = [new RingWriter(memory), new RingReader(memory)]
    const writerFrees = seed % 2 === 0
    const sent: { bytes: number[]; mark: number }[] = []
    const read: Uint8Array[] = []
    let refused = 0
    for (let step = 0; step < 400; step++) {
      if (random.u32() % 2 === 0) {
        const length = random.u32() % (writer.messageBytesMax + 1)
        const place = writer.reserve(length)
        if (place === null) {
          refused++
          assert.ok(sent.length > 0, `an empty ring takes ${length} bytes; seed ${seed}`)
          continue
        }
        const bytes = Array.from({ length }, () => random.u32() & 255)
        place.set(bytes)
        writer.send(length)
        sent.push({ bytes, mark: writer.mark })
      } else {
        const message = reader.next()
        if (message !== null) read.push(message)
        const [first] = read
        if (first === undefined) continue
        // Looked at late: nothing has overwritten it.
        const expected = sent.shift()
        assert.deepEqual([...first], expected?.bytes, `seed ${seed}`)
        read.shift()
        if (writerFrees) writer.free(expected?.mark ?? 0)
        else if (read.length === 0) reader.free()
      }
    }
    assert.ok(refused > 0)
  }
})

test('a reader that waits is told of by the next send, once', () => {
  const memory = ringMemory(256)
  const [writer, reader] = [new RingWriter(memory), new RingReader(memory)]
  const send = (): boolean => {
    writer.reserve(4)
    return writer.send(4)
  }
  assert.equal(send(), false)
  assert.equal(reader.wait(), false, 'there is a message')
  assert.equal(send(), false)
  reader.next()
  reader.next()
  assert.equal(reader.wait(), true)
  assert.equal(send(), true)
  assert.equal(send(), false)
})
