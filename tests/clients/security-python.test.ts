// confluent-kafka (a new librdkafka) and kafka-python against logins over TLS.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { openBroker } from '../../src/broker/broker.ts'
import { nodeWorld } from '../../src/world/node.ts'
import { python, saysOk, withoutPython } from './strangers.suite.ts'

const certificate = (name: string): string => fileURLToPath(new URL(`../certificates/${name}`, import.meta.url))
const password = 'root=,secret'

test('Python: each mechanism over TLS', { skip: withoutPython }, async () => {
  const broker = await openBroker(nodeWorld(), {
    dataDir: null,
    durability: 'power',
    superUsers: ['root'],
    users: [{ user: 'root', password }],
  })
  const tls = { certificate: readFileSync(certificate('server.pem')), key: readFileSync(certificate('server.key')) }
  const { host, port } = await broker.listen({ host: '127.0.0.1', port: 0, tls, sasl: [] })
  try {
    const script = join(import.meta.dirname, 'python', 'security.py')
    const expected = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) =>
      ['confluent', 'kafka-python'].flatMap((client) => [
        `${client} ${mechanism}`,
        `${client} ${mechanism} with a wrong password`,
      ]),
    )
    await saysOk([python, script, `${host}:${port}`, certificate('authority.pem'), 'secure', password], expected)
  } finally {
    await broker.close()
  }
})
