// Kafka's own Java client against logins over TLS, users that administrators add, and access rules.
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { openBroker } from '../../src/broker/broker.ts'
import { nodeWorld } from '../../src/world/node.ts'
import { java, javaSource, saysOk, withoutJava } from './strangers.suite.ts'

const certificate = (name: string): string => fileURLToPath(new URL(`../certificates/${name}`, import.meta.url))
const password = 'root secret'

test('Java: logins, users, rules', { skip: withoutJava }, async () => {
  const broker = await openBroker(nodeWorld(), {
    dataDir: null,
    durability: 'power',
    superUsers: ['root'],
    users: [{ user: 'root', password }],
  })
  const tls = { certificate: readFileSync(certificate('server.pem')), key: readFileSync(certificate('server.key')) }
  const { host, port } = await broker.listen({ host: '127.0.0.1', port: 0, tls, sasl: [], loginMsMax: 3_000 })
  try {
    await saysOk(
      java(javaSource('Security.java'), `${host}:${port}`, certificate('authority.pem'), 'secure', password),
      [
        ...['PLAIN', 'PLAIN with a wrong password'],
        ...['SCRAM-SHA-256', 'SCRAM-SHA-256 with a wrong password'],
        ...['SCRAM-SHA-512', 'SCRAM-SHA-512 with a wrong password'],
        'a credential is set and described',
        'no right to produce',
        'rules are made and described',
        'with a rule an idempotent producer writes',
        'and a group reads',
        'the client is told of its rights',
        'no right to look at rules',
        'no right to delete',
        'no right to another group',
        'rules are removed',
        'and the right with them',
        'a changed password',
        'a removed user',
      ],
    )
  } finally {
    await broker.close()
  }
})
