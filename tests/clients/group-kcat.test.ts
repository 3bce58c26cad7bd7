// Balanced consumers of kcat (librdkafka 2.0) in a group: they share the partitions, hand over when one ends, and go on
// where they had committed. Skipped with a line where kcat is not installed.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { after, before, test } from 'node:test'
import { Admin } from '@platformatic/kafka'
import { freshTopic, openTestBroker, type TestBroker, until } from './test-broker.suite.ts'

const skip =
  spawnSync('kcat', ['-V']).error === undefined ? false : 'kcat is not installed (Debian: apt-get install kcat)'
const partitions = 4

let broker: TestBroker
const running = new Set<ChildProcess>()
before(async () => {
  broker = await openTestBroker()
})
after(async () => {
  for (const child of running) child.kill('SIGKILL')
  await broker.close()
})

async function produce(topic: string, partition: number, values: readonly string[]): Promise<void> {
  const child = spawn('kcat', ['-b', broker.address, '-P', '-t', topic, '-p', String(partition)])
  running.add(child)
  child.stdin.end(values.join('\n'))
  const code = await new Promise((resolve) => child.on('close', resolve))
  running.delete(child)
  assert.equal(code, 0)
}
interface Member {
  readonly seen: string[]
  /** SIGTERM leaves the group, SIGKILL does not. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>
}
function member(groupId: string, topic: string): Member {
  const settings = [
    'auto.offset.reset=earliest',
    'session.timeout.ms=6000',
    'heartbeat.interval.ms=100',
    'auto.commit.interval.ms=50',
  ]
  const options = settings.flatMap((setting) => ['-X', setting])
  const child = spawn('kcat', ['-b', broker.address, '-G', groupId, '-q', '-u', '-f', '%p:%s\n', ...options, topic])
  running.add(child)
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()))
  const seen: string[] = []
  let rest = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    seen.push(...lines)
  })
  return {
    seen,
    async end(signal) {
      child.kill(signal)
      await ended
      running.delete(child)
    },
  }
}

test('two members share, one ends, one is killed, a third goes on: nothing is missing', { skip }, async (t) => {
  const admin = new Admin({ clientId: 'test', bootstrapBrokers: [broker.address] })
  t.after(() => admin.close())
  const topic = freshTopic('group-kcat')
  await admin.createTopics({ topics: [topic], partitions, replicas: 1 })
  const groupId = `${topic}-group`
  const expected: string[] = []
  const round = async (name: string): Promise<void> => {
    for (let partition = 0; partition < partitions; partition++) {
      const values = Array.from({ length: 10 }, (_, i) => `${name}-${i}`)
      await produce(topic, partition, values)
      expected.push(...values.map((value) => `${partition}:${value}`))
    }
  }
  const members: Member[] = []
  const everything = (): Set<string> => new Set(members.flatMap(({ seen }) => seen))
  const stableWith = (count: number) => async (): Promise<boolean> => {
    const group = (await admin.describeGroups({ groups: [groupId] })).get(groupId)
    // As Kafka writes it; the client's own type says otherwise.
    return String(group?.state) === 'Stable' && group?.members.size === count
  }
  await round('alone')
  members.push(member(groupId, topic))
  await until(() => everything().size === expected.length)
  members.push(member(groupId, topic))
  await until(stableWith(2))
  await round('shared')
  await until(() => everything().size === expected.length)
  for (const { seen } of members) {
    const own = new Set(seen.filter((line) => line.includes('shared')).map((line) => line.split(':')[0]))
    assert.equal(own.size, 2, 'two partitions each')
  }
  await members[0]!.end('SIGTERM')
  await until(stableWith(1))
  await round('left')
  await until(() => everything().size === expected.length)
  await members[1]!.end('SIGKILL')
  await round('nobody')
  const third = member(groupId, topic)
  members.push(third)
  await until(() => everything().size === expected.length)
  assert.deepEqual([...everything()].sort(), expected.sort())
  assert.equal(
    third.seen.filter((line) => line.includes('alone')).length,
    0,
    'what was committed long ago is not read again',
  )
  await third.end('SIGTERM')
})
