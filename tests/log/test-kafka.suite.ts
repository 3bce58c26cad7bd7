// A real Apache Kafka for tests: the one that TEST_KAFKA (host:port) names, or a node of its own from the jars that
// `npm run clients` has fetched; without those a test says why it is skipped.
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { clientsFolder } from '../../tools/clients.ts'
import { freePorts, libsIn, missingForKafka, startKafka } from '../../tools/kafka-node.ts'

const given = process.env.TEST_KAFKA
const libs = libsIn(clientsFolder)

/** For a test's `skip`. */
export const withoutKafka: false | string =
  given !== undefined
    ? false
    : !existsSync(libs)
      ? 'the jars of Apache Kafka are not prepared on this machine: npm run clients'
      : (missingForKafka(clientsFolder) ?? false)

export interface TestKafka {
  readonly address: string
  stop(): Promise<void>
}
export async function startTestKafka(): Promise<TestKafka> {
  if (given !== undefined) return { address: given, stop: async () => {} }
  const dataDir = mkdtempSync(join(tmpdir(), 'millrace-kafka-'))
  const [port, controllerPort] = await freePorts(2)
  const node = await startKafka({ libs, dataDir, port: port!, controllerPort: controllerPort! })
  return {
    address: node.address,
    async stop() {
      await node.kill()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}
