// The broker's figures for Prometheus, over a running house: a stranger's group, its lag, requests by API, broken peers.
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import { Kafka, logLevel } from 'kafkajs'
import { startBroker } from '../../src/platform/broker-alone.ts'
import { startPlatform } from '../../src/platform.ts'
import { noLog, type WriteLog } from '../../src/std/log-line.ts'
import { nodeWorld } from '../../src/world/node.ts'

const world = nodeWorld()

/** Values by name and labels, as the text format has them; every line must be one of its forms. */
async function scraped(url: string): Promise<Map<string, number>> {
  const text = await (await fetch(`${url}/metrics`)).text()
  const found = new Map<string, number>()
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue
    const match = /^([a-z_A-Z0-9]+(?:\{[^}]*\})?) (\S+)$/.exec(line)
    assert.ok(match, `not a line of the text format: ${line}`)
    found.set(match[1]!, Number(match[2]))
  }
  return found
}

test('requests, offsets and the lag of a group are told, and a peer that breaks the protocol is counted and logged', async () => {
  const lines: string[] = []
  const log: WriteLog = (level, component, message) => lines.push(`${level} ${component} ${message}`)
  const platform = await startPlatform(
    world,
    {
      dataDir: null,
      host: '127.0.0.1',
      listeners: [{ host: '127.0.0.1', port: 0 }],
      port: 0,
      durability: 'power',
      rate: 1,
      seed: '1',
      generate: false,
      screen: null,
      version: '0.0.0',
      log,
    },
    () => {},
  )
  try {
    const kafka = new Kafka({ brokers: [platform.kafka], logLevel: logLevel.NOTHING, retry: { retries: 2 } })
    const admin = kafka.admin()
    await admin.connect()
    await admin.createTopics({ topics: [{ topic: 'parcels', numPartitions: 2 }] })
    const producer = kafka.producer()
    await producer.connect()
    const old = Date.now() - 60_000
    await producer.send({
      topic: 'parcels',
      messages: Array.from({ length: 10 }, (_, i) => ({ value: `${i}`, partition: 1, timestamp: `${old}` })),
    })
    await admin.setOffsets({ groupId: 'packers', topic: 'parcels', partitions: [{ partition: 1, offset: '4' }] })

    const found = await scraped(platform.url)
    const lag = 'consumergroup="packers",topic="parcels",partition="1"'
    assert.equal(found.get(`kafka_consumergroup_lag{${lag}}`), 6)
    assert.equal(found.get(`kafka_consumergroup_current_offset{${lag}}`), 4)
    const seconds = found.get(`kafka_consumergroup_lag_seconds{${lag}}`) ?? 0
    assert.ok(seconds >= 60 && seconds < 120, `${seconds} s`)
    assert.equal(found.get('kafka_consumergroup_members{consumergroup="packers"}'), 0)
    assert.equal(found.get('kafka_topic_partitions{topic="parcels"}'), 2)
    assert.equal(found.get('kafka_topic_partition_current_offset{topic="parcels",partition="1"}'), 10)
    assert.equal(found.get('kafka_topic_partition_oldest_offset{topic="parcels",partition="1"}'), 0)
    const produces = 'millrace_broker_request_duration_seconds'
    assert.equal(found.get(`${produces}_count{api="Produce"}`), 1)
    assert.equal(found.get(`${produces}_bucket{api="Produce",le="+Inf"}`), 1)
    assert.ok((found.get(`${produces}_sum{api="Produce"}`) ?? 0) > 0)
    assert.ok((found.get('millrace_broker_connections') ?? 0) >= 2)
    assert.ok((found.get('millrace_broker_received_bytes_total') ?? 0) > 200)
    assert.equal(found.get('millrace_broker_connections_broken_total'), 0)
    await producer.disconnect()
    await admin.disconnect()

    const [host, port] = platform.kafka.split(':')
    const socket = connect(Number(port), host)
    const gone = new Promise((resolve) => socket.once('close', resolve))
    socket.write('GET / HTTP/1.1\r\n\r\n')
    await gone
    assert.equal((await scraped(platform.url)).get('millrace_broker_connections_broken_total'), 1)
    assert.ok(lines.includes('info broker closed a connection for what it sent'))
  } finally {
    await platform.stop()
  }
  assert.equal(lines.at(-1), 'info broker closed')
})

test('a broker alone tells its health and figures where it is asked to', async () => {
  const broker = await startBroker(world, {
    dataDir: null,
    listeners: [{ host: '127.0.0.1', port: 0 }],
    durability: 'power',
    httpPort: 0,
    version: '0.0.0',
    log: noLog,
  })
  try {
    const { url } = broker
    assert.ok(url !== null)
    const kafka = new Kafka({ brokers: [broker.kafka], logLevel: logLevel.NOTHING })
    const producer = kafka.producer()
    await producer.connect()
    await producer.send({ topic: 'letters', messages: [{ value: 'a' }, { value: 'b' }] })
    await producer.disconnect()
    const found = await scraped(url)
    assert.equal(found.get('millrace_events_ingested_total{topic="letters"}'), 2)
    assert.equal(found.get('kafka_brokers'), 1)
    const ready = await fetch(`${url}/readyz?verbose`)
    assert.equal(ready.status, 200)
    assert.match(await ready.text(), /\[\+\]broker ok: 1 topics, 1 partitions/)
    assert.equal((await fetch(`${url}/livez`)).status, 200)
    assert.equal((await fetch(`${url}/api/v1/kpis`)).status, 404)
  } finally {
    await broker.stop()
  }
})
