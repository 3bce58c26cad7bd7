// Kafka's own Java Admin, through all that tools and consoles built on it ask of one broker; Apache Kafka gives the same
// answers (TEST_KAFKA).
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { java, javaSource, stranger, withoutJava } from './strangers.suite.ts'
import { freshTopic, openTestBroker } from './test-broker.suite.ts'

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

test('Java: the whole Admin', { skip: withoutJava }, async (t) => {
  const broker = await openTestBroker()
  t.after(() => broker.close())
  const stdout = await stranger(java(javaSource('AdminCalls.java'), broker.address, freshTopic('java-admin')))
  assert.equal(stdout, expected)
})
