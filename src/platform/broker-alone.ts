// The broker without the rest of the house: a file of its own, so that it starts without loading engine and serving.
import { type Broker, checkListener, type ListenerSettings, openBroker } from '../broker/broker.ts'
import type { Served } from '../serve/serve.ts'
import { assert } from '../std/assert.ts'
import type { WriteLog } from '../std/log-line.ts'
import type { World } from '../world/world.ts'
import { answerBackups } from './backup-requests.ts'
import { aloneMetrics, brokerComponent } from './broker-metrics.ts'
import { announce } from './running.ts'

export interface BrokerSettings {
  /** Null: in memory, nothing on disk. */
  readonly dataDir: string | null
  /** For Kafka clients, one at least; the first is the one that is told of. */
  readonly listeners: readonly ListenerSettings[]
  /** Who may log in, beside those that administrators have added. */
  readonly users?: readonly { readonly user: string; readonly password: string }[]
  /** May do everything; with one of them, access control is on. */
  readonly superUsers?: readonly string[]
  readonly durability: 'power' | 'process'
  readonly log: WriteLog
}
export interface BrokerAloneSettings extends BrokerSettings {
  /** Health and metrics over HTTP on loopback there (0 picks a free one); null: not. */
  readonly httpPort: number | null
  /** Of the package. */
  readonly version: string
}
export interface OpenedBroker extends Opened {
  /** `http://127.0.0.1:9644`, or null. */
  readonly url: string | null
}
export interface Opened {
  /** `host:port` for Kafka clients. */
  readonly kafka: string
  stop(): Promise<void>
  /** Resolves with the reason when it cannot go on (disk failed, job fenced): stop with exit code 70. */
  readonly failed: Promise<Error>
}

/** Opens all of them; returns where clients come to the first. */
export async function listenOn(broker: Broker, listeners: readonly ListenerSettings[]): Promise<string> {
  const addresses: string[] = []
  for (const listener of listeners) {
    const bound = await broker.listen(listener)
    const { host, port } = listener.advertised ?? bound
    addresses.push(`${host.includes(':') ? `[${host}]` : host}:${port}`)
  }
  const [first] = addresses
  assert(first !== undefined, 'a broker for others listens somewhere')
  return first
}

export async function startBroker(world: World, settings: BrokerAloneSettings): Promise<OpenedBroker> {
  // Before anything is touched.
  for (const listener of settings.listeners) checkListener(listener)
  const broker = await openBroker(world, settings)
  try {
    const kafka = await listenOn(broker, settings.listeners)
    const served = settings.httpPort === null ? null : await serveOperators(world, broker, settings.httpPort, settings)
    const url = served?.url ?? null
    const withdraw = announce(world, settings.dataDir, { url: null, kafka })
    const noMoreBackups = answerBackups(world, settings.dataDir, broker)
    const stop = async (): Promise<void> => {
      noMoreBackups()
      withdraw()
      served?.drain()
      await broker.close()
      await served?.close()
    }
    return { kafka, url, stop, failed: broker.failed }
  } catch (error) {
    await broker.close()
    throw error
  }
}

/** Serving is loaded only when it is asked for: a broker alone is small and starts fast. */
async function serveOperators(
  world: World,
  broker: Broker,
  port: number,
  { log, version }: BrokerAloneSettings,
): Promise<Served> {
  const { serve } = await import('../serve/serve.ts')
  return serve(
    world,
    {
      figures: null,
      health: {
        checks: async () => {
          const { name, state, detail } = brokerComponent(broker)
          return [{ name, ok: state === 'ok', needed: true, detail }]
        },
      },
      reports: null,
      tables: null,
      insights: null,
      ingest: null,
      metrics: aloneMetrics(broker),
      fault: (error, where) => log('error', 'serve', `a fault in ${where}`, { err: error }),
    },
    { host: '127.0.0.1', port, screenFolder: null, version },
  )
}
