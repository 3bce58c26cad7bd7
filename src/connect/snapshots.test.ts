// Snapshots by blocks: what did not change is not written again, what nobody needs goes, and whatever breaks, what can be
// read is a state that was published.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { simulate } from '../../sim/world.ts'
import type { StateParts } from '../engine/engine.ts'
import type { Cursor } from '../log/log.ts'
import type { RandomStream } from '../std/random.ts'
import { randomStream } from '../std/random.ts'
import type { World } from '../world/world.ts'
import { BLOCK_BYTES, openSnapshots, type SnapshotStore } from './snapshots.ts'

const folder = '/data/snapshots'
const at = (n: number): Cursor => `cursor-${n}` as Cursor

function arrayOf(bytes: number, random: RandomStream): Uint8Array {
  const array = new Uint8Array(bytes)
  for (let i = 0; i < bytes; i += 997) array[i] = random.u32() & 255
  return array
}
async function save(store: SnapshotStore, n: number, state: StateParts): Promise<{ all: number; written: number }> {
  const made = store.begin(state)
  while (!made.step());
  await made.publish(at(n))
  return made.bytes
}
const told = (store: SnapshotStore): { cursor: string; state: StateParts }[] => [...store.stored()]
async function inWorld<T>(seed: string, main: (world: World) => Promise<T>): Promise<T> {
  const ended = await simulate({ seed }).run(async (world) => {
    world.fs.mkdir('/data')
    return main(world)
  })
  if (ended.end === 'threw') throw ended.error
  assert.ok(ended.end === 'returned', ended.end)
  return ended.value
}

test('only blocks that changed are written, and files that nobody needs go', async () => {
  await inWorld('changed-blocks', async (world) => {
    const random = randomStream('changed-blocks')
    const store = openSnapshots(world, folder, 'job')
    const large = arrayOf(BLOCK_BYTES * 20 + 100, random)
    const state = { loose: new Uint8Array([1, 2, 3]), arrays: [large, arrayOf(5000, random)] }
    const first = await save(store, 1, state)
    assert.deepEqual(first, { all: large.length + 5000, written: large.length + 5000 })
    large[BLOCK_BYTES * 7]! ^= 255
    assert.equal((await save(store, 2, state)).written, BLOCK_BYTES)
    assert.equal((await save(store, 3, state)).written, 0)
    // Each snapshot changes another block: the first file is needed less and less, and is left behind at half.
    let written = 0
    for (let n = 4; n < 24; n++) {
      large[BLOCK_BYTES * (n - 4)]! ^= 255
      written += (await save(store, n, state)).written
    }
    assert.ok(written < BLOCK_BYTES * 20 * 3, `${written} bytes for 20 changed blocks`)
    const onDisk = world.fs
      .list(folder)
      .filter((name) => name.startsWith('blocks-'))
      .reduce((sum, name) => sum + (world.fs.stat(`${folder}/${name}`)?.sizeBytes ?? 0), 0)
    assert.ok(onDisk < large.length * 4, `${onDisk} bytes on disk for a state of ${large.length}`)
    assert.equal(world.fs.list(folder).filter((name) => name.startsWith('chk-')).length, 3)
    const [newest] = told(openSnapshots(world, folder, 'job'))
    assert.equal(newest?.cursor, 'cursor-23')
    assert.deepEqual(newest?.state, state)
    assert.deepEqual(told(openSnapshots(world, folder, 'another job')), [])
  })
})

test('a flipped byte takes the snapshots that need it, and nothing later counts on it', async () => {
  await inWorld('flipped', async (world) => {
    const random = randomStream('flipped')
    const store = openSnapshots(world, folder, 'job')
    const [a, b] = [arrayOf(BLOCK_BYTES * 3, random), arrayOf(BLOCK_BYTES * 3, random)]
    await save(store, 1, { loose: new Uint8Array(1), arrays: [a] })
    await save(store, 2, { loose: new Uint8Array(2), arrays: [a, b] })
    const newest = world.fs
      .list(folder)
      .filter((name) => name.startsWith('blocks-'))
      .at(-1)
    const file = world.fs.open(`${folder}/${newest}`, 'write')
    file.write(new Uint8Array([b[BLOCK_BYTES]! ^ 1]), BLOCK_BYTES)
    file.close()
    const again = openSnapshots(world, folder, 'job')
    assert.deepEqual(
      told(again).map(({ cursor }) => cursor),
      ['cursor-1'],
    )
    await save(again, 3, { loose: new Uint8Array(3), arrays: [a, b] })
    assert.deepEqual(told(openSnapshots(world, folder, 'job'))[0], {
      cursor: 'cursor-3',
      state: { loose: new Uint8Array(3), arrays: [a, b] },
    })
  })
})

test('after a power cut or a kill anywhere, the newest that can be read was published, and none is lost that was', async () => {
  for (let seed = 0; seed < 60; seed++) {
    const simulation = simulate({ seed: `snapshots-${seed}` })
    const published = new Map<string, string>()
    let resolved = 0
    const print = ({ loose, arrays }: StateParts): string =>
      [loose, ...arrays].map((bytes) => Buffer.from(bytes).toString('base64')).join()
    for (let life = 0; life < 4; life++) {
      const random = randomStream(`snapshots-${seed}-${life}`)
      const stepsLeft = random.u32() % 120
      const running = simulation.run(async (world, process) => {
        if (world.fs.stat('/data') === null) world.fs.mkdir('/data')
        await world.fs.syncFolder('/')
        const store = openSnapshots(world, folder, 'job')
        const [newest] = told(store)
        if (newest !== undefined) assert.equal(print(newest.state), published.get(newest.cursor), `seed ${seed}`)
        const newestNumber = newest === undefined ? 0 : Number(newest.cursor.slice(7))
        assert.ok(newestNumber >= resolved, `snapshot ${resolved} is gone, there is ${newestNumber}; seed ${seed}`)
        const state = {
          loose: arrayOf(100, random),
          arrays: [arrayOf(BLOCK_BYTES * 2 + 5, random), arrayOf(9000, random)],
        }
        world.clock.timer(stepsLeft, () => process.crash(random.u32() % 2 === 0 ? 'kill' : 'power'))
        for (
          let n = Math.max(newestNumber, resolved, ...[...published.keys()].map((key) => Number(key.slice(7)))) + 1;
          ;
          n++
        ) {
          state.arrays[n % 2]![random.u32() % 9000]! ^= 1
          state.loose[0] = n & 255
          published.set(at(n), print(state))
          await save(store, n, { loose: state.loose.slice(), arrays: state.arrays })
          resolved = n
          await world.clock.sleep(random.u32() % 5)
        }
      })
      const ended = await running
      if (ended.end === 'threw') throw ended.error
      assert.equal(ended.end, 'crashed')
    }
    assert.ok(resolved > 0, `seed ${seed} kept nothing`)
  }
})
