// An Apache Kafka of the bench's own: started for `--peers`, on the same disk as our broker, gone afterwards.
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { clientsFolder } from '../tools/clients.ts'
import { fetchKafka, freePorts, missingForKafka, startKafka } from '../tools/kafka-node.ts'
import type { Options } from './options.ts'

export interface KafkaPeer {
  readonly address: string
  stop(): Promise<void>
}

/** Null when none was asked for, or one is running. Throws with what is missing on this machine. */
export async function kafkaPeer({ peers, kafka, dir }: Options): Promise<KafkaPeer | null> {
  if (!peers || kafka !== null) return null
  const missing = missingForKafka(clientsFolder)
  if (missing !== null) throw new Error(`--peers: ${missing}`)
  const libs = fetchKafka(clientsFolder)
  const dataDir = mkdtempSync(join(dir, 'kafka-'))
  const [port = 0, controllerPort = 0] = await freePorts(2)
  const node = await startKafka({ libs, dataDir, port, controllerPort })
  return {
    address: node.address,
    async stop() {
      await node.stop()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}
