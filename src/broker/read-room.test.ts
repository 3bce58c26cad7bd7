// Memory for reading is used again, and no more of it is kept than is needed.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freeBytesMax, GrowingRoom, RoomPool } from './read-room.ts'

const KiB = 1 << 10

test('what is given back is used again; at least half of it, and what is small or huge is not kept', () => {
  const pool = new RoomPool()
  const one = pool.lease()
  const first = one.take(1_000 * KiB)
  assert.equal(first.length, 1_000 * KiB)
  const second = one.take(1_000 * KiB)
  assert.notEqual(first.buffer, second.buffer)
  for (const bytes of [0, 1, 32 * KiB - 1, 8_192 * KiB + 1]) {
    assert.equal(one.take(bytes).buffer.byteLength, bytes, 'memory of its own')
  }
  one.giveBack()
  assert.equal(pool.freeBytes, 2 * (1_028 * KiB))
  one.giveBack()
  assert.equal(pool.freeBytes, 2 * (1_028 * KiB), 'once only')
  const two = pool.lease()
  assert.ok([first.buffer, second.buffer].includes(two.take(700 * KiB).buffer))
  for (let bytes = 32 * KiB; bytes <= 8_192 * KiB; bytes += 13 * KiB) {
    const { buffer } = pool.lease().take(bytes)
    assert.ok(
      buffer.byteLength >= bytes && buffer.byteLength <= 2 * bytes + 4 * KiB,
      `${buffer.byteLength} for ${bytes}`,
    )
  }
})

test('no more is kept than the limit, and nothing that nobody needs between two looks', () => {
  const pool = new RoomPool()
  const lease = pool.lease()
  for (let i = 0; i < 20; i++) lease.take(1_024 * KiB)
  lease.giveBack()
  const kept = Math.floor(freeBytesMax / (1_028 * KiB))
  assert.equal(pool.freeBytes, kept * 1_028 * KiB)
  pool.trim()
  assert.equal(pool.freeBytes, kept * 1_028 * KiB, 'it was needed just now')
  const few = pool.lease()
  for (let i = 0; i < 3; i++) few.take(1_024 * KiB)
  few.giveBack()
  pool.trim()
  assert.equal(pool.freeBytes, 3 * 1_028 * KiB)
  pool.trim()
  assert.equal(pool.freeBytes, 0)
  pool.trim()
  assert.equal(pool.freeBytes, 0)
})

test('growing memory keeps what is in it, and gives back what it leaves', () => {
  const pool = new RoomPool()
  const room = new GrowingRoom(pool, 4 * KiB)
  let filled = 0
  for (let reach = 5 * KiB; reach <= 3_000 * KiB; reach += 7 * KiB) {
    room.reach(reach)
    assert.ok(room.bytes.length >= reach && room.bytes.length <= 2 * reach + 64 * KiB)
    for (; filled < reach; filled++) room.bytes[filled] = filled % 251
  }
  for (let i = 0; i < filled; i += 13) assert.equal(room.bytes[i], i % 251)
  const { buffer } = room.bytes
  const left = pool.freeBytes
  room.clear()
  assert.equal(room.bytes.length, 4 * KiB)
  assert.equal(pool.freeBytes, left + buffer.byteLength)
  room.clear()
  assert.equal(pool.freeBytes, left + buffer.byteLength, 'once only')
  const next = new GrowingRoom(pool, 4 * KiB)
  next.reach(2_500 * KiB)
  assert.equal(next.bytes.buffer, buffer)
})
