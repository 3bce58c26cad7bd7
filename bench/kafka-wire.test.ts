// The hand-written requests: sizes in front and the batch whole at the end, however long; answers cut anywhere come out whole.
import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { fetchedBatches, KafkaConnection, producedOffset, produceFrame } from './kafka-wire.ts'

test('a produce request says its size, and ends in the batch', () => {
  for (const size of [1, 100, 255, 256, 257, 65_536]) {
    const batch = new Uint8Array(size).fill(7)
    const frame = produceFrame('sales', 2, batch)
    assert.equal(frame.readInt32BE(0), frame.length - 4)
    assert.equal(frame.readInt32BE(frame.length - size - 4), size)
    assert.deepEqual(new Uint8Array(frame.subarray(frame.length - size)), batch)
  }
})

function fields(...parts: (readonly [bytes: 2 | 4 | 8, value: number] | string)[]): Buffer {
  return Buffer.concat(
    parts.map((part) => {
      if (typeof part === 'string') return Buffer.from(part)
      const bytes = Buffer.alloc(8)
      bytes.writeBigInt64BE(BigInt(part[1]))
      return bytes.subarray(8 - part[0])
    }),
  )
}

test('a produce answer gives the offset, or throws the error of the broker', () => {
  const answer = (error: number): Buffer =>
    fields([4, 1], [4, 1], [2, 5], 'sales', [4, 1], [4, 2], [2, error], [8, 1234], [8, -1], [8, 0], [4, 0])
  assert.equal(producedOffset(answer(0)), 1234)
  assert.throws(() => producedOffset(answer(3)), /produce: the broker answered with Kafka's error 3/)
})

test('a fetch answer hands out the records of each partition that has some', () => {
  const head = [[4, 1], [4, 0], [2, 0], [4, 0], [4, 1], [2, 1], 't', [4, 3]] as const
  const partition = (index: number, aborted: number, records: string) =>
    [
      [4, index],
      [2, 0],
      [8, 9],
      [8, 9],
      [8, 0],
      [4, aborted],
      ...Array.from({ length: Math.max(0, aborted) * 2 }, () => [8, 1] as const),
      [4, -1],
      [4, records.length],
      records,
    ] as const
  const found: [number, string][] = []
  const answer = fields(...head, ...partition(0, -1, 'abc'), ...partition(1, 2, ''), ...partition(2, 1, 'xy'))
  fetchedBatches(answer, (index, bytes, start, end) => found.push([index, bytes.toString('latin1', start, end)]))
  assert.deepEqual(found, [
    [0, 'abc'],
    [2, 'xy'],
  ])
})

test('answers are put together again, wherever the network cuts them', async () => {
  const answers = ['a', 'bb'.repeat(300), '', 'ccc'].map((text) => Buffer.from(text))
  const stream = Buffer.concat(answers.flatMap((answer) => [fields([4, answer.length]), answer]))
  for (const piece of [1, 3, 5, 100, stream.length]) {
    const server = createServer((socket) => {
      socket.setNoDelay(true)
      socket.once('data', async () => {
        for (let at = 0; at < stream.length; at += piece) {
          socket.write(stream.subarray(at, at + piece))
          if (at % 50 === 0) await new Promise((resolve) => setImmediate(resolve))
        }
      })
      socket.on('error', () => {})
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    assert.ok(typeof address === 'object' && address !== null)
    const connection = await KafkaConnection.open(`127.0.0.1:${address.port}`)
    const came = await Promise.all(answers.map(() => connection.send(Buffer.from('ask'))))
    assert.deepEqual(came.map(String), answers.map(String), `in pieces of ${piece}`)
    const never = connection.send(Buffer.from('ask'))
    connection.close()
    await assert.rejects(never, /closed the connection/)
    server.close()
  }
})
