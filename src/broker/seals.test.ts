// A start from seals gives the same log as a start that walks through everything.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LogError } from '../log/log.ts'
import { randomStream } from '../std/random.ts'
import { offset, partitionId } from '../std/units.ts'
import type { FileSystem } from '../world/world.ts'
import { batchOf, dataDir, type Machine, machine, p0, produced, refused } from './broker.suite.ts'
import type { Broker } from './broker.ts'
import { memoryFileSystem } from './journal/memory-files.ts'

const journalFolder = `${dataDir}/journal`
// Settled, they would leave the journal.
const small = { segmentBytes: 6000, partitionsMax: 1000, retention: { settles: false } }
const isSeal = (name: string): boolean => name.endsWith('.seal')

function readFile(fs: FileSystem, path: string): Uint8Array {
  const file = fs.open(path, 'read')
  const bytes = new Uint8Array(file.sizeBytes())
  file.read(bytes, 0)
  file.close()
  return bytes
}
function writeFile(fs: FileSystem, path: string, bytes: Uint8Array): void {
  if (fs.stat(path) !== null) fs.unlink(path)
  const file = fs.open(path, 'create')
  file.write(bytes, 0)
  file.close()
}
/** Another machine with the same disk; `change` may leave files out (null) or alter them. */
function copyOf(here: Machine, change: (name: string, bytes: Uint8Array) => Uint8Array | null): Machine {
  const fs = memoryFileSystem(1 << 28, () => 0)
  fs.mkdir(dataDir)
  fs.mkdir(journalFolder)
  writeFile(fs, `${dataDir}/format`, readFile(here.fs, `${dataDir}/format`))
  for (const name of here.fs.list(journalFolder)) {
    const bytes = change(name, readFile(here.fs, `${journalFolder}/${name}`))
    if (bytes !== null) writeFile(fs, `${journalFolder}/${name}`, bytes)
  }
  return machine('copy', fs)
}

/** All that anyone can see of a log, and how it answers. */
async function everything(broker: Broker): Promise<unknown> {
  const topics = []
  for (const info of broker.topics()) {
    for (let id = 0; id < info.partitions; id++) {
      const partition = partitionId(id)
      const { start, end } = broker.offsets(info.name, partition)
      const batches = await broker.read(info.name, partition, start, 1 << 28)
      const times = [0, 500, 1000, 1500, 99_999].map((ms) => broker.offsetForTime(info.name, partition, ms))
      topics.push({ info, id, start, end, batches, times, max: broker.offsetOfMaxTime(info.name, partition) })
    }
  }
  const follower = broker.follow({
    job: 'job 1',
    topics: broker.topics().map(({ name }) => name),
    from: broker.origin(),
  })
  const entries = []
  for (let polled = follower.poll(1000); polled.length > 0; polled = follower.poll(1000)) entries.push(...polled)
  follower.close()
  const answers = []
  for (const info of broker.topics()) {
    for (let producer = 1; producer <= 3; producer++) {
      for (let sequence = 0; sequence < 60; sequence++) {
        answers.push(
          await broker.append(info.name, p0, produced(producer, 0, sequence)).then(
            // Not the LSN: on a busy machine a witness of idleness may have taken one in between.
            ({ baseOffset }) => baseOffset,
            (error: unknown) => (error instanceof LogError ? error.code : error),
          ),
        )
      }
    }
  }
  const jobs = [await broker.takeJob('job 1'), await broker.takeJob('job 2')]
  return { topics, entries, answers, jobs, producer: await broker.newProducerId(), made: await newKey(broker) }
}
async function newKey(broker: Broker): Promise<unknown> {
  await broker.createTopic({ name: 'one-more', partitions: 1 })
  // Not its LSN: see above.
  const { baseOffset } = await broker.append('one-more', p0, batchOf(['x']))
  return baseOffset
}

/** A log with a past: topics made and deleted, producers, jobs, ticks, restarts and crashes. */
async function livedIn(seed: string, steps: number): Promise<Machine> {
  const random = randomStream(seed)
  const here = machine(seed)
  let broker = await here.open(small)
  const sequences = new Map<string, number>()
  for (let i = 0; i < steps; i++) {
    const names = broker.topics().map(({ name }) => name)
    const draw = random.below(40)
    if (names.length === 0 || draw === 0) await broker.createTopic({ name: `t${i}`, partitions: 1 + random.below(3) })
    else if (draw === 1 && names.length > 3) await broker.deleteTopic(names[random.below(names.length)]!)
    else if (draw === 2) {
      const job = `job ${1 + random.below(2)}`
      const { epoch, cursor } = await broker.takeJob(job)
      const batch = batchOf([`out ${i}`])
      await broker.commit({
        job,
        epoch,
        previous: cursor,
        cursor: broker.now(),
        appends: [{ topic: names[0]!, partition: p0, batch }],
      })
    } else if (draw === 3) await broker.tick('job 1', new Uint8Array([i]))
    else if (draw === 4) await broker.newProducerId()
    else if (draw === 5) {
      if (random.below(2) === 0) await broker.close()
      broker = await here.open(small)
    } else if (draw < 20) {
      const name = names[random.below(names.length)]!
      const producer = 1 + random.below(3)
      const sequence = sequences.get(`${name}/${producer}`) ?? 0
      sequences.set(`${name}/${producer}`, sequence + 1)
      await broker.append(name, p0, produced(producer, 0, sequence))
    } else {
      // Several at once, some of which meet in one write with the end of a segment.
      const appends = Array.from({ length: 1 + random.below(6) }, (_, k) => {
        const batch = batchOf(['v'.repeat(random.below(700)), `${i}.${k}`], { timestamps: [random.below(2000), i] })
        return broker.append(names[random.below(names.length)]!, p0, batch)
      })
      await Promise.all(appends)
    }
  }
  return here
}

test('with seals, without them, with some of them: the same log', async () => {
  for (const seed of ['one', 'two', 'three', 'four']) {
    const here = await livedIn(seed, 250)
    const seals = here.fs.list(journalFolder).filter(isSeal)
    assert.ok(seals.length >= 5, `${seals.length} seals`)
    const walked = await everything(await copyOf(here, (name, bytes) => (isSeal(name) ? null : bytes)).open(small))
    const sealed = await everything(await copyOf(here, (_, bytes) => bytes).open(small))
    assert.deepEqual(sealed, walked, `seed ${seed}`)
    const random = randomStream(`damage ${seed}`)
    const some = copyOf(here, (name, bytes) => {
      if (!isSeal(name) || random.below(4) > 0) return bytes
      const broken = bytes.slice(0, random.below(3) === 0 ? random.below(bytes.length) : bytes.length)
      if (broken.length > 0) broken[random.below(broken.length)]! ^= 1 << random.below(8)
      return broken
    })
    assert.deepEqual(await everything(await some.open(small)), walked, `seed ${seed}, some seals broken`)
    // The start that had to walk has written them again.
    assert.ok(some.fs.list(journalFolder).filter(isSeal).length >= seals.length)
  }
})

test('a start reads the finished segments no more than their headers', async () => {
  const here = await livedIn('reads', 200)
  const opened = copyOf(here, (_, bytes) => bytes)
  const read = new Map<string, number>()
  const watched: FileSystem = {
    ...opened.fs,
    open(path, mode) {
      const file = opened.fs.open(path, mode)
      return {
        path,
        write: (bytes, position) => file.write(bytes, position),
        read(into, position) {
          const count = file.read(into, position)
          read.set(path, Math.max(read.get(path) ?? 0, position + count))
          return count
        },
        sizeBytes: () => file.sizeBytes(),
        truncate: (size) => file.truncate(size),
        sync: () => file.sync(),
        close: () => file.close(),
      }
    },
  }
  const broker = await machine('watch', watched).open(small)
  const segments = [...read.entries()].filter(([path]) => path.endsWith('.journal'))
  const walkedThrough = segments.filter(([, bytes]) => bytes > 4096)
  assert.ok(segments.length > 5)
  assert.ok(walkedThrough.length <= 2, walkedThrough.map(([path]) => path).join(' '))
  await broker.close()
})

test('rot in a finished segment: never handed out; the next start walks there and names it', async () => {
  const here = machine('rot')
  let broker = await here.open(small)
  await broker.createTopic({ name: 't', partitions: 1 })
  for (let i = 0; i < 40; i++) await broker.append('t', p0, batchOf([`${i} ${'x'.repeat(500)}`]))
  await broker.close()
  const [first] = here.fs.list(journalFolder)
  const bytes = readFile(here.fs, `${journalFolder}/${first}`)
  bytes[Buffer.from(bytes).indexOf('3 xxx') + 10]! ^= 1
  writeFile(here.fs, `${journalFolder}/${first}`, bytes)
  broker = await here.open(small)
  assert.equal(broker.trouble(), null, 'not looked at yet')
  await assert.rejects(broker.read('t', p0, offset(3), 1), refused('CORRUPT_MESSAGE'))
  broker = await here.open(small)
  assert.match(broker.trouble()!.message, /1 entries .* damaged .* t-0/)
  assert.equal((await broker.read('t', p0, offset(0), 1 << 20)).length, 3)
  await assert.rejects(broker.append('t', p0, batchOf(['no'])), refused('KAFKA_STORAGE_ERROR'))
  await broker.close()
  broker = await here.open(small)
  assert.notEqual(broker.trouble(), null, 'it stays named')
  await broker.close()
})
