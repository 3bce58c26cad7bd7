// O6: lines of a file, each record once, in the lying world: killed and power-cut at any operation, with torn lines, a file
// that is gone, pages that turn.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { simulate } from '../../sim/world.ts'
import { type Broker, openBroker } from '../broker/broker.ts'
import { partitionId } from '../std/units.ts'
import { BatchWriter } from '../wire/batch-writer.ts'
import type { World } from '../world/world.ts'
import { startTopicToFile } from './topic-to-file.ts'

const path = '/out/deep/metrics.json'
const settings = { topic: 'rows', path }
const encoder = new TextEncoder()
const brokerSettings = { dataDir: '/data', durability: 'power', freeBytesMin: 0 } as const

async function opened(world: World): Promise<Broker> {
  const broker = await openBroker(world, brokerSettings)
  if (broker.topic('rows') === null) await broker.createTopic({ name: 'rows', partitions: 2 })
  return broker
}
async function append(broker: Broker, partition: number, values: readonly (string | null)[]): Promise<void> {
  const writer = new BatchWriter()
  for (const value of values) writer.append(null, value === null ? null : encoder.encode(value), 0)
  await broker.append('rows', partitionId(partition), writer.finish())
}
function textOf({ fs }: World, at = path): string {
  if (fs.stat(at) === null) return ''
  const file = fs.open(at, 'read')
  const bytes = new Uint8Array(file.sizeBytes())
  for (let from = 0; from < bytes.length; ) from += file.read(bytes.subarray(from), from)
  file.close()
  return new TextDecoder().decode(bytes)
}
const row = (life: number, i: number): string => JSON.stringify({ life, i, filler: 'x'.repeat(i % 7) })

for (const kind of ['kill', 'power'] as const)
  test(`O6: each row is a line once, whatever ${kind === 'kill' ? 'kill' : 'power cut'} comes at whatever operation`, async () => {
    let crashes = 0
    for (let seed = 0; seed < 60; seed++) {
      const told = `${kind}, seed ${seed}`
      const simulation = simulate({
        seed: `lines ${told}`,
        faults: { survival: [0, 0.5, 1][seed % 3]!, shortOdds: 0.1 },
      })
      const acked: string[] = []
      for (let life = 0; life < 5; life++) {
        const isLast = life === 4
        simulation.machine.plan(isLast ? null : { at: 1 + ((seed * 7 + life * 13) % 60), crash: kind })
        const end = await simulation.run(async (world, process) => {
          const broker = await opened(world)
          const sink = await startTopicToFile(world, broker, { ...settings, fileBytesMax: Number.MAX_SAFE_INTEGER })
          for (let i = 0; i < 12; i++) {
            const value = row(life, i)
            await append(broker, i % 2, [value])
            if (process.alive) acked.push(value)
          }
          await sink.settled()
          await sink.stop()
          await broker.close()
          if (!isLast) return
          const lines = textOf(world).split('\n')
          assert.equal(lines.pop(), '', `${told}: the last line has an end`)
          assert.equal(new Set(lines).size, lines.length, `${told}: a line is there twice`)
          const there = new Set(lines)
          for (const one of acked) assert.ok(there.has(one), `${told}: ${one} is not in the file`)
          for (const line of lines) assert.doesNotThrow(() => JSON.parse(line), `${told}: a torn line`)
        })
        if (end.end === 'crashed') crashes++
        else assert.equal(end.end, 'returned', `${told}: ${JSON.stringify(end)}`)
      }
    }
    assert.ok(crashes > 100, `only ${crashes} crashes`)
  })

test('O6: what is no line of ours stays, a file that is gone is written anew, keys taken back are no lines', async () => {
  const simulation = simulate({ seed: 'lines' })
  const end = await simulation.run(async (world) => {
    const broker = await opened(world)
    world.fs.mkdir('/out')
    world.fs.mkdir('/out/deep')
    const foreign = world.fs.open(path, 'create')
    foreign.write(encoder.encode('of somebody\nunfinished'), 0)
    foreign.close()
    await append(broker, 0, ['{"a":1}', null, '{"two":\n"lines"}'])
    const run = async (): Promise<string> => {
      const sink = await startTopicToFile(world, broker, settings)
      await sink.settled()
      await sink.stop()
      return textOf(world)
    }
    const text = await run()
    assert.equal(text, 'of somebody\nunfinished\n{"a":1}\n{"two": "lines"}\n')
    assert.equal(await run(), text, 'nothing is written again')
    world.fs.unlink(path)
    assert.equal(await run(), '{"a":1}\n{"two": "lines"}\n')
  })
  assert.equal(end.end, 'returned', JSON.stringify(end))
})

test('O6: at its limit the file is put aside, killed at any operation: together they hold each row once', async () => {
  for (let at = 1; at < 90; at += 3) {
    const simulation = simulate({ seed: `page ${at}` })
    for (const isLast of [false, true]) {
      simulation.machine.plan(isLast ? null : { at: 40 + at, crash: 'power' })
      const end = await simulation.run(async (world) => {
        const broker = await opened(world)
        const sink = await startTopicToFile(world, broker, { ...settings, fileBytesMax: 100 })
        if (broker.offsets('rows', partitionId(0)).end === 0)
          await append(
            broker,
            0,
            [...Array(3).keys()].map((i) => row(0, i)),
          )
        await sink.settled()
        await sink.stop()
        if (broker.offsets('rows', partitionId(1)).end === 0) await append(broker, 1, [row(1, 0)])
        const again = await startTopicToFile(world, broker, { ...settings, fileBytesMax: 10_000 })
        await again.settled()
        await again.stop()
        await broker.close()
        if (!isLast) return
        const lines = `${textOf(world, `${path}.1`)}${textOf(world)}`.trim().split('\n').sort()
        assert.deepEqual(lines, [row(0, 0), row(0, 1), row(0, 2), row(1, 0)].sort(), `power cut at ${at}`)
      })
      assert.ok(end.end === 'returned' || (end.end === 'crashed' && !isLast), JSON.stringify(end))
    }
  }
})
