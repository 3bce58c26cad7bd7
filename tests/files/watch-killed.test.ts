// Whoever takes files in is killed again and again while they grow and rotate: each line is in the log once.
import assert from 'node:assert/strict'
import { appendFileSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { openBroker } from '../../src/broker/broker.ts'
import { runCli, startCli } from '../../src/cli/run-cli.suite.ts'
import { openKafkaLog } from '../../src/connect/kafka-log.ts'
import { randomStream } from '../../src/std/random.ts'
import { nodeWorld } from '../../src/world/node.ts'
import { startMillrace } from '../crash/process.ts'
import { recordsIn, temporaryFolder } from './watching.suite.ts'

const world = nodeWorld()

/** Appends lines to two files and now and then moves or packs one, as a program with rotated logs does. */
function writer(folder: string, seed: string) {
  const random = randomStream(seed)
  let next = 0
  let rotations = 0
  const path = (name: string): string => join(folder, name)
  return {
    get written() {
      return next
    },
    write(): void {
      for (const name of ['a.ndjson', 'b.ndjson']) {
        const lines = Array.from({ length: random.below(60) }, () => `{"n":${next++}}\n`).join('')
        // In two pieces, so that somebody may see half a line.
        const cut = random.below(lines.length + 1)
        appendFileSync(path(name), lines.slice(0, cut))
        appendFileSync(path(name), lines.slice(cut))
      }
      if (random.below(6) > 0 || !existsSync(path('a.ndjson'))) return
      const old = path(`a.ndjson.${++rotations}`)
      renameSync(path('a.ndjson'), old)
      if (random.below(2) > 0) return
      writeFileSync(`${old}.part`, gzipSync(readFileSync(old)))
      rmSync(old)
      renameSync(`${old}.part`, `${old}.gz`)
    },
  }
}
const numbersOf = (records: readonly { readonly value: string }[]): number[] =>
  records.map(({ value }) => Number(JSON.parse(value).n)).sort((a, b) => a - b)

test('millrace watch, killed with SIGKILL eight times while it takes files in, over the Kafka protocol', async () => {
  const seed = process.env.SEED ?? String(process.pid)
  const again = `SEED=${seed} npm test -- tests/files/watch-killed`
  const random = randomStream(`${seed} kills`)
  const { path: folder, remove } = temporaryFolder()
  const broker = await openBroker(world, { dataDir: null, durability: 'process' })
  try {
    const { host, port } = await broker.listen({ host: '127.0.0.1', port: 0 })
    const files = writer(folder, seed)
    const command = ['watch', `${folder}=lines`, '--brokers', `${host}:${port}`]
    for (let kills = 0; kills < 8; kills++) {
      const running = startCli(command)
      const before = broker.topic('lines') === null ? 0 : (await recordsIn(broker, 'lines')).length
      const endMs = Date.now() + 20_000
      // Killed at some moment after it has begun to take in.
      for (let left = 1 + random.below(12); left > 0; ) {
        files.write()
        await new Promise((resolve) => setTimeout(resolve, 20 + random.below(40)))
        const now = broker.topic('lines') === null ? 0 : (await recordsIn(broker, 'lines')).length
        if (now > before || Date.now() > endMs) left--
      }
      running.kill('SIGKILL')
      await running.ended
    }
    const last = await runCli([...command, '--once', '--json'])
    assert.equal(last.code, 0, last.stderr)
    const numbers = numbersOf(await recordsIn(broker, 'lines'))
    assert.deepEqual(
      numbers,
      Array.from({ length: files.written }, (_, i) => i),
      again,
    )
    assert.deepEqual(await recordsIn(broker, 'lines.dlq'), [], again)
  } finally {
    await broker.close()
    remove()
  }
})

test('the whole house is killed while it watches a folder', async () => {
  const seed = process.env.SEED ?? String(process.pid)
  const { path: folder, remove } = temporaryFolder()
  const { path: dataDir, remove: removeData } = temporaryFolder()
  try {
    const files = writer(folder, seed)
    const args = ['--no-generate', '--watch', `${folder}=lines`, '--durability', 'process']
    for (let kills = 0; kills < 3; kills++) {
      const house = await startMillrace(dataDir, ...args)
      for (let i = 0; i < 15; i++) {
        files.write()
        await new Promise((resolve) => setTimeout(resolve, 30))
      }
      await house.kill()
    }
    const house = await startMillrace(dataDir, ...args)
    const log = await openKafkaLog(world, { brokers: [house.kafka] })
    try {
      const endMs = Date.now() + 20_000
      let numbers: number[] = []
      while (numbers.length < files.written && Date.now() < endMs) {
        await new Promise((resolve) => setTimeout(resolve, 100))
        await log.look()
        if (log.topic('lines') !== null) numbers = numbersOf(await recordsIn(log, 'lines'))
      }
      assert.deepEqual(
        numbers,
        Array.from({ length: files.written }, (_, i) => i),
        `SEED=${seed} npm test -- tests/files/watch-killed`,
      )
    } finally {
      await log.close()
      await house.stop()
    }
  } finally {
    remove()
    removeData()
  }
})

test('millrace watch says what is wrong with what it is given, and counts what it took in', async () => {
  const { path: folder, remove } = temporaryFolder()
  const broker = await openBroker(world, { dataDir: null, durability: 'process' })
  try {
    const { port } = await broker.listen({ host: '127.0.0.1', port: 0 })
    const brokers = ['--brokers', `127.0.0.1:${port}`]
    assert.equal((await runCli(['watch', folder, ...brokers])).code, 2)
    assert.equal((await runCli(['watch', `${folder}/none=lines`, ...brokers])).code, 4)
    assert.equal((await runCli(['watch', `${folder}=lines`, '--brokers', '127.0.0.1:1'])).code, 3)
    writeFileSync(join(folder, 'a.ndjson'), '{"n":1}\nbad\n')
    const taken = await runCli(['watch', `${folder}=lines`, ...brokers, '--once', '--json'])
    assert.deepEqual([taken.code, JSON.parse(taken.stdout)], [0, { records: 1, deadLetters: 1 }], taken.stderr)
    writeFileSync(join(folder, 'b.ndjson.gz'), 'no gzip')
    const left = await runCli(['watch', `${folder}=lines`, ...brokers, '--once'])
    assert.equal(left.code, 1)
    assert.match(left.stderr, /b\.ndjson\.gz/)
  } finally {
    await broker.close()
    remove()
  }
})
