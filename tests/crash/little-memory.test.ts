// The broker with a heap of 128 MiB under producers that send more than the disk takes and readers that take nothing: it
// slows them down, stays within bounds, and every acknowledged batch is there.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { RawClient } from '../../src/broker/server/raw-client.suite.ts'
import { toFetch, toProduce } from '../../src/broker/server/server.suite.ts'
import { BatchWriter } from '../../src/wire/batch-writer.ts'
import { nodeWorld } from '../../src/world/node.ts'

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
const MiB = 1024 * 1024
const world = nodeWorld()

function batchOf(bytes: number): Uint8Array {
  const writer = new BatchWriter()
  writer.append(null, new Uint8Array(bytes), 0)
  return writer.finish()
}
/** Resident memory, where Linux tells it. */
function residentBytes(pid: number): number {
  try {
    return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024
  } catch {
    return 0
  }
}

test('a heap of 128 MiB: producers wait, stalled readers are held to their share, nothing acknowledged is lost', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'millrace-little-memory-'))
  const args = ['--max-old-space-size=128', main, 'broker', '--json', '--kafka-port', '0', '--data-dir', dataDir]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] })
  const ended = new Promise<number | null>((resolve) => child.on('exit', (code) => resolve(code)))
  try {
    const line = await new Promise<string>((resolve, reject) => {
      createInterface({ input: child.stdout }).once('line', resolve)
      void ended.then((code) => reject(new Error(`the broker ended with ${code}`)))
    })
    const ready = JSON.parse(line) as { kafka: string }
    const colon = ready.kafka.lastIndexOf(':')
    const address = { host: ready.kafka.slice(0, colon), port: Number(ready.kafka.slice(colon + 1)) }
    const baseBytes = residentBytes(child.pid!)
    const connect = (count: number) =>
      Promise.all(Array.from({ length: count }, () => RawClient.connect(world, address)))
    const [first] = await connect(1)
    const topic = { name: 't', numPartitions: 4, replicationFactor: 1, assignments: [], configs: [] }
    await first!.ask('createTopics', 4, { topics: [topic], timeoutMs: 5_000 })
    const large = batchOf(900_000)
    await first!.ask('produce', 9, toProduce('t', 0, large))
    const stalled = await connect(30)
    for (const reader of stalled) {
      reader.socket.pause()
      for (let i = 0; i < 20; i++) reader.send('fetch', 11, toFetch('t', 0))
    }
    const producers = await connect(20)
    const each = 10
    let mostBytes = 0
    const watch = setInterval(() => {
      mostBytes = Math.max(mostBytes, residentBytes(child.pid!))
    }, 50)
    const acked = await Promise.all(
      producers.map(async (producer, i) => {
        const partition = i % 4
        for (let sent = 0; sent < each; sent++) producer.send('produce', 9, toProduce('t', partition, large))
        let good = 0
        for (let answered = 0; answered < each; answered++) {
          const { body } = await producer.answer('produce', 9)
          if (body.responses[0]?.partitionResponses[0]?.errorCode === 0) good++
        }
        return good
      }),
    )
    clearInterval(watch)
    assert.equal(
      acked.reduce((sum, good) => sum + good, 0),
      producers.length * each,
    )
    // Requests 64 MiB, the journal's copies of them, its newest 32 MiB, answers on their way 128 MiB; and some slack.
    assert.ok(
      mostBytes - baseBytes < 450 * MiB,
      `${Math.round((mostBytes - baseBytes) / MiB)} MiB more than at the start`,
    )
    const partitions = [0, 1, 2, 3].map((partitionIndex) => ({ partitionIndex, currentLeaderEpoch: -1, timestamp: -1 }))
    const ends = await first!.ask('listOffsets', 4, { replicaId: -1, topics: [{ name: 't', partitions }] })
    const offsets = ends.topics[0]!.partitions.map(({ offset }) => offset)
    assert.deepEqual(offsets, [1 + 5 * each, 5 * each, 5 * each, 5 * each])
    for (const client of [first!, ...stalled, ...producers]) client.socket.destroy()
    child.kill('SIGTERM')
    assert.equal(await ended, 0)
  } finally {
    child.kill('SIGKILL')
    await ended
    rmSync(dataDir, { recursive: true, force: true })
  }
})
