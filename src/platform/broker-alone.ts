// The broker without the rest of the house: a file of its own, so that it starts without loading engine and serving.
import { openBroker } from '../broker/broker.ts'
import type { WriteLog } from '../std/log-line.ts'
import type { World } from '../world/world.ts'
import { announce } from './running.ts'

export interface BrokerSettings {
  /** Null: in memory, nothing on disk. */
  readonly dataDir: string | null
  readonly host: string
  /** 0 picks a free one. */
  readonly kafkaPort: number
  readonly durability: 'power' | 'process'
  readonly log: WriteLog
}
export interface Opened {
  /** `host:port` for Kafka clients. */
  readonly kafka: string
  stop(): Promise<void>
  /** Resolves with the reason when it cannot go on (disk failed, job fenced): stop with exit code 70. */
  readonly failed: Promise<Error>
}

export async function startBroker(world: World, settings: BrokerSettings): Promise<Opened> {
  const broker = await openBroker(world, settings)
  try {
    const { host, port } = await broker.listen({ host: settings.host, port: settings.kafkaPort })
    const kafka = `${host}:${port}`
    const withdraw = announce(world, settings.dataDir, { url: null, kafka })
    const stop = async (): Promise<void> => {
      withdraw()
      await broker.close()
    }
    return { kafka, stop, failed: broker.failed }
  } catch (error) {
    await broker.close()
    throw error
  }
}
