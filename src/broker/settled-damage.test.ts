// Bytes that rot in settled files, in the manifest, in a segment before it is settled: never a wrong byte, nothing deleted,
// what is lost is named.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LogError } from '../log/log.ts'
import { randomStream } from '../std/random.ts'
import { offset } from '../std/units.ts'
import type { FileSystem } from '../world/world.ts'
import { batchOf, dataDir, type Machine, machine, p0, readValues, refused, valuesOf } from './broker.suite.ts'
import type { Broker } from './broker.ts'
import { JournalError } from './journal/journal-error.ts'

const folder = `${dataDir}/settled`
const small = {
  segmentBytes: 8000,
  cacheBytes: 0,
  retention: { checkEveryMs: 5, logBytesMax: 1 << 30, fileBytesMax: 5000 },
}

function bytesOf(fs: FileSystem, path: string): Uint8Array {
  const file = fs.open(path, 'read')
  const bytes = new Uint8Array(file.sizeBytes())
  file.read(bytes, 0)
  file.close()
  return bytes
}
function flip(fs: FileSystem, path: string, at: number, bit: number): void {
  const byte = bytesOf(fs, path)[at]!
  const file = fs.open(path, 'write')
  file.write(Uint8Array.of(byte ^ (1 << bit)), at)
  file.close()
}
function all(fs: FileSystem): Map<string, string> {
  return new Map(fs.list(folder).map((name) => [name, Buffer.from(bytesOf(fs, `${folder}/${name}`)).toString('hex')]))
}
async function until(what: string, done: () => boolean): Promise<void> {
  for (let i = 0; i < 3000; i++) {
    if (done()) return
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
  assert.fail(`never: ${what}`)
}
const values = Array.from({ length: 120 }, (_, i) => `${i} ${'x'.repeat((i * 37) % 400)}`)
async function filled(here: Machine, settles = true): Promise<void> {
  const broker = await here.open({ ...small, retention: { ...small.retention, settles } })
  await broker.createTopic({ name: 't', partitions: 1 })
  for (const value of values) await broker.append('t', p0, batchOf([value]))
  await until('settled', () => !settles || broker.stats().journal.segments <= 1)
  await broker.close()
}
/** Everything that can be read, by offset; stretches that cannot are gone around as the error says. */
async function readable(broker: Broker): Promise<Map<number, string>> {
  const found = new Map<number, string>()
  for (let at: number = broker.offsets('t', p0).start; at < broker.offsets('t', p0).end; ) {
    try {
      for (const batch of await broker.read('t', p0, offset(at), 600)) {
        for (const value of valuesOf(batch)) found.set(at++, value)
      }
    } catch (error) {
      assert.ok(error instanceof LogError && error.code === 'CORRUPT_MESSAGE', String(error))
      const next = Number(/reading from (\d+)/.exec(error.message)?.[1])
      assert.ok(next > at, error.message)
      at = next
    }
  }
  return found
}

test('a flipped bit in a settled file: what it touches is refused, all else is read, nothing is changed', async () => {
  const here = machine('flips')
  await filled(here)
  const names = here.fs.list(folder).filter((name) => name.endsWith('.settled'))
  assert.ok(names.length > 3)
  const random = randomStream('flips')
  let refusals = 0
  for (let i = 0; i < 60; i++) {
    const path = `${folder}/${names[random.below(names.length)]}`
    const at = random.below(bytesOf(here.fs, path).length)
    const bit = random.below(8)
    flip(here.fs, path, at, bit)
    const before = all(here.fs)
    const broker = await here.open({ ...small, retention: { ...small.retention, settles: false } })
    const found = await readable(broker)
    for (const [place, value] of found) assert.equal(value, values[place])
    assert.ok(
      found.size >= values.length - 1,
      `${found.size} of ${values.length} after bit ${bit} of byte ${at} of ${path}`,
    )
    const follower = broker.follow({ job: 'job', topics: ['t'], from: broker.origin() })
    const followed: string[] = []
    try {
      for (let entries = follower.poll(500); entries.length > 0; entries = follower.poll(500)) {
        for (const entry of entries) if (entry.kind === 'batch') followed.push(...valuesOf(entry.bytes))
      }
      assert.equal(found.size, values.length)
    } catch (error) {
      assert.ok(refused('CORRUPT_MESSAGE')(error), String(error))
      assert.ok(found.size < values.length)
      refusals++
    }
    assert.deepEqual(followed, values.slice(0, followed.length), 'in order, up to the damage')
    await broker.close()
    assert.deepEqual(all(here.fs), before)
    flip(here.fs, path, at, bit)
  }
  assert.ok(refusals > 20, `${refusals}`)
})

test('one copy of the manifest is enough; without any the start refuses and changes nothing', async () => {
  const here = machine('manifest')
  await filled(here)
  for (const name of ['manifest', 'manifest.copy']) {
    flip(here.fs, `${folder}/${name}`, 70, 1)
    const broker = await here.open({ ...small, retention: { ...small.retention, settles: false } })
    assert.deepEqual(await readValues(broker, 't'), values)
    await broker.close()
    if (name === 'manifest') flip(here.fs, `${folder}/${name}`, 70, 1)
  }
  flip(here.fs, `${folder}/manifest`, 99, 3)
  const before = all(here.fs)
  await assert.rejects(here.open(small), (error) => error instanceof JournalError && /manifest/.test(error.message))
  assert.deepEqual(all(here.fs), before)
})

test('a settled file that is gone is named; the rest is read', async () => {
  const here = machine('gone')
  await filled(here)
  const name = here.fs.list(folder).filter((each) => each.endsWith('.settled'))[1]!
  here.fs.unlink(`${folder}/${name}`)
  const broker = await here.open(small)
  assert.match(broker.trouble()!.message, new RegExp(`missing.*${name}`))
  await assert.rejects(readValues(broker, 't'), LogError)
  assert.equal((await broker.read('t', p0, offset(values.length - 1), 1)).length, 1)
  await broker.close()
})

test('records of a topic whose making was lost are not deleted: they are settled with all others', async () => {
  const here = machine('lost topic')
  await filled(here, false)
  const journal = `${dataDir}/journal`
  const first = `${journal}/${here.fs.list(journal).find((name) => name.endsWith('.journal'))}`
  flip(here.fs, first, Buffer.from(bytesOf(here.fs, first)).indexOf('"op":"create"') + 3, 2)
  for (const name of here.fs.list(journal)) if (name.endsWith('.seal')) here.fs.unlink(`${journal}/${name}`)
  const broker = await here.open(small)
  await until('settled', () => broker.stats().journal.segments <= 1)
  assert.match(broker.trouble()!.message, /1 topics whose names are lost/)
  assert.equal(broker.topic('t'), null)
  const text = [...all(here.fs)].map(([, hex]) => Buffer.from(hex, 'hex').toString('latin1')).join('')
  for (const value of values.slice(0, -30)) assert.ok(text.includes(value), value)
  await broker.close()
})

test('a segment that rotted before it was settled: not settled, then named, settled without what is lost, and kept', async () => {
  const here = machine('rotten segment')
  await filled(here, false)
  const journal = `${dataDir}/journal`
  const segments = here.fs.list(journal).filter((name) => name.endsWith('.journal'))
  assert.ok(segments.length > 3)
  const path = `${journal}/${segments[1]}`
  flip(here.fs, path, Buffer.from(bytesOf(here.fs, path)).indexOf(`${'x'.repeat(50)}`) + 10, 2)
  let broker = await here.open(small)
  await until('trouble', () => broker.trouble() !== null)
  assert.match(broker.trouble()!.message, /Restart Millrace/)
  assert.ok(here.fs.stat(path) !== null)
  await broker.close()
  const left = async (): Promise<Map<number, string>> => {
    broker = await here.open(small)
    assert.match(broker.trouble()!.message, /1 entries .* damaged .* t-0/)
    await until('settled', () => broker.stats().journal.segments <= 1)
    await assert.rejects(broker.append('t', p0, batchOf(['no'])), refused('KAFKA_STORAGE_ERROR'))
    const found = await readable(broker)
    await broker.close()
    return found
  }
  for (let life = 0; life < 3; life++) {
    const found = await left()
    assert.equal(found.size, values.length - 1, 'one entry is lost')
    for (const [at, value] of found) assert.equal(value, values[at])
    assert.ok(here.fs.list(`${dataDir}/quarantine`).includes(segments[1]!), 'the damaged segment is kept')
    assert.equal(here.fs.stat(path), null)
  }
})
