// Kafka's own Java Admin, through all that tools and consoles built on it ask of one broker; Apache Kafka gives the same
// answers (TEST_KAFKA). KAFKA_LIBS names a folder with the jars of kafka-clients; without it, or without Java, skipped.
import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { freshTopic, openTestBroker } from './test-broker.suite.ts'

const libs = process.env.KAFKA_LIBS ?? ''
const skip = !existsSync(libs)
  ? 'KAFKA_LIBS does not name a folder with the jars of kafka-clients'
  : spawnSync('java', ['-version']).error !== undefined
    ? 'java is not installed'
    : false

const expected = `nodes	1
controller	true
created	2 5000000
partitions	4 true
by id	1
fewer	InvalidPartitionsException
policy	delete,compact DYNAMIC_TOPIC_CONFIG LIST false
retention	DEFAULT_CONFIG
documented	true
broker	true false
wrong	InvalidConfigurationException
default	86400000 DYNAMIC_DEFAULT_BROKER_CONFIG
resources	true
latest	5
max time	4
by time	3
low	3
earliest	3
beyond	OffsetOutOfRangeException
size	true
elect	ElectionNotNeededException
elsewhere	InvalidReplicaAssignmentException
no move	NoReassignmentInProgressException
moves	0
quorum	1 true
features	true
no feature	InvalidUpdateVersionException
deleted	UnknownTopicOrPartitionException
done
`

test('Java: the whole Admin', { skip }, async (t) => {
  const broker = await openTestBroker()
  t.after(() => broker.close())
  const source = join(import.meta.dirname, 'AdminCalls.java')
  const command = ['-cp', join(libs, '*'), source, broker.address, freshTopic('java-admin')]
  const { stdout } = await promisify(execFile)('java', command, { timeout: 120_000 })
  assert.equal(stdout, expected)
})
