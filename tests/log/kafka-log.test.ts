// A Kafka cluster keeps what a `Log` promises, over the protocol: our own broker through its port, which runs everywhere,
// and a real Apache Kafka where its jars are (`npm run clients`), or at TEST_KAFKA=host:port.
import { after, before, test } from 'node:test'
import { type Broker, openBroker } from '../../src/broker/broker.ts'
import { openKafkaLog } from '../../src/connect/kafka-log.ts'
import { nodeWorld } from '../../src/world/node.ts'
import { jobTests } from './kafka-jobs.suite.ts'
import { killTests } from './kafka-killed.suite.ts'
import { type LogPlace, logContract } from './log-contract.suite.ts'
import { startTestKafka, type TestKafka, withoutKafka } from './test-kafka.suite.ts'

const world = nodeWorld()

function clusterAt(address: string, done: () => Promise<void>): LogPlace {
  const open = async () => {
    const log = await openKafkaLog(world, { brokers: [address], patienceMs: 15_000 })
    return { log, close: () => log.close() }
  }
  return { open, beside: open, hasOneOrder: false, done }
}

logContract('a cluster of ours', async () => {
  const broker = await openBroker(world, { dataDir: null, durability: 'process' })
  const { host, port } = await broker.listen({ host: '127.0.0.1', port: 0 })
  return clusterAt(`${host}:${port}`, () => broker.close())
})

let broker: Broker | null = null
let address = ''
before(async () => {
  broker = await openBroker(world, { dataDir: null, durability: 'process' })
  const { host, port } = await broker.listen({ host: '127.0.0.1', port: 0 })
  address = `${host}:${port}`
})
after(() => broker?.close())
killTests('a cluster of ours', () => address)
jobTests('a cluster of ours', () => address)

if (withoutKafka === false) {
  let kafka: TestKafka | null = null
  before(async () => {
    kafka = await startTestKafka()
  })
  after(() => kafka?.stop())
  killTests('Apache Kafka', () => kafka!.address)
  jobTests('Apache Kafka', () => kafka!.address)
  logContract('Apache Kafka', async () => clusterAt(kafka!.address, async () => {}))
} else {
  test('Apache Kafka keeps what a log promises', { skip: withoutKafka }, () => {})
}
