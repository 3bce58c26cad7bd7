// kafka-python and confluent-kafka (a new librdkafka), run by their own interpreter against our broker.
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { python, saysOk, withoutPython } from './strangers.suite.ts'
import { freshTopic, openTestBroker, type TestBroker } from './test-broker.suite.ts'

const clients = {
  kafka_python_client: {
    produce: ['produce None', 'produce gzip', 'produce snappy', 'produce lz4', 'produce zstd'],
    group: ['group'],
    times: ['times'],
    admin: ['admin exists', 'admin partitions', 'admin delete records', 'admin delete topic'],
    transactions: ['transactions'],
  },
  confluent_client: {
    produce: ['produce none', 'produce gzip', 'produce snappy', 'produce lz4', 'produce zstd'],
    classic: ['group classic'],
    consumer: ['group consumer'],
    admin: ['admin configs', 'admin partitions', 'admin records', 'admin groups', 'admin delete'],
    transactions: ['transactions copy', 'transactions fenced'],
  },
}

for (const [client, sections] of Object.entries(clients)) {
  suite(client, { skip: withoutPython }, () => {
    let broker: TestBroker
    before(async () => {
      broker = await openTestBroker()
    })
    after(() => broker.close())
    for (const [section, expected] of Object.entries(sections)) {
      test(section, () => {
        const script = join(import.meta.dirname, 'python', `${client}.py`)
        return saysOk([python, script, broker.address, freshTopic(section), section], expected)
      })
    }
  })
}
