// Memory is used again, never while it is lent, and is let go of when nobody needs it; leases and growing rooms of it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryPool, pieceBytesMax, pieceBytesMin } from './memory-pool.ts'
import { GrowingRoom, Lease } from './read-room.ts'

const KiB = 1024

test('what was given back is taken again, once; other memory is nobody’s business', () => {
  const pool = new MemoryPool(1 << 20)
  const first = pool.take(65_600)
  assert.equal(first.length, 80 * KiB)
  pool.giveBack(first.subarray(0, 65_600))
  pool.giveBack(first)
  assert.equal(pool.idleBytes, 80 * KiB)
  assert.equal(pool.take(70_000), first)
  assert.notEqual(pool.take(70_000), first)
  pool.giveBack(new Uint8Array(80 * KiB))
  assert.equal(pool.idleBytes, 0)
  for (const bytes of [pieceBytesMin - 1, pieceBytesMax + 1]) {
    const alone = pool.take(bytes)
    assert.equal(alone.length, bytes)
    pool.giveBack(alone)
  }
  assert.equal(pool.idleBytes, 0)
})

test('a size is rounded up by less than a quarter', () => {
  const pool = new MemoryPool(1 << 20)
  for (const bytes of [
    pieceBytesMin,
    pieceBytesMin + 1,
    20_480,
    20_481,
    32_768,
    65_536,
    65_537,
    1 << 20,
    pieceBytesMax,
  ]) {
    const { length } = pool.take(bytes)
    assert.ok(length >= bytes && length < bytes * 1.25, `${bytes}: ${length}`)
  }
})

test('no more is kept than may be, and what was not needed for a while goes', () => {
  const pool = new MemoryPool(100 * KiB)
  const taken = Array.from({ length: 10 }, () => pool.take(20 * KiB))
  for (const each of taken) pool.giveBack(each)
  assert.equal(pool.idleBytes, 100 * KiB)
  pool.look()
  // Two of five are needed.
  const again = [pool.take(20 * KiB), pool.take(20 * KiB)]
  for (const each of again) pool.giveBack(each)
  pool.look()
  assert.equal(pool.idleBytes, 40 * KiB)
  pool.look()
  assert.equal(pool.idleBytes, 0)
})

test('what an answer holds is given back once, and then used again', () => {
  const pool = new MemoryPool(16 << 20)
  const one = new Lease(pool)
  const first = one.take(1_000 * KiB)
  assert.equal(first.length, 1_000 * KiB)
  const second = one.take(1_000 * KiB)
  assert.notEqual(first.buffer, second.buffer)
  assert.equal(one.take(100).buffer.byteLength, 100, 'memory of its own')
  assert.equal(one.bytes, 2 * 1_024 * KiB + 100)
  one.giveBack()
  assert.equal(pool.idleBytes, 2 * 1_024 * KiB)
  one.giveBack()
  assert.equal(pool.idleBytes, 2 * 1_024 * KiB, 'once only')
  assert.ok([first.buffer, second.buffer].includes(new Lease(pool).take(900 * KiB).buffer))
})

test('growing memory keeps what is in it, and gives back what it leaves', () => {
  const pool = new MemoryPool(16 << 20)
  const room = new GrowingRoom(pool, 4 * KiB)
  let filled = 0
  for (let reach = 5 * KiB; reach <= 3_000 * KiB; reach += 7 * KiB) {
    room.reach(reach)
    assert.ok(room.bytes.length >= reach && room.bytes.length <= 2 * reach + 64 * KiB)
    for (; filled < reach; filled++) room.bytes[filled] = filled % 251
  }
  for (let i = 0; i < filled; i += 13) assert.equal(room.bytes[i], i % 251)
  const { buffer } = room.bytes
  const left = pool.idleBytes
  room.clear()
  assert.equal(room.bytes.length, 4 * KiB)
  assert.equal(pool.idleBytes, left + buffer.byteLength)
  room.clear()
  assert.equal(pool.idleBytes, left + buffer.byteLength, 'once only')
  const next = new GrowingRoom(pool, 4 * KiB)
  next.reach(buffer.byteLength)
  assert.ok(next.bytes.buffer === buffer)
})
