// The data sink of the orders pipeline (O6): product metrics into a file of lines, its progress shown as that of the group
// `data-sink`.
import type { Broker } from '../broker/broker.ts'
import { productMetricsRows } from '../commerce/commerce.ts'
import { startTopicToFile } from '../connect/topic-to-file.ts'
import type { World } from '../world/world.ts'
import { groupProgress } from './group-progress.ts'

export interface OrderSink {
  /** Null: metrics stay in their topic. */
  readonly path: string | null
  /** Written since the start. */
  lines(): number
  settled(): Promise<void>
  stop(): Promise<void>
  readonly failed: Promise<Error>
}

/** The topic of product metrics is there. */
export async function startOrderSink(world: World, broker: Broker, path: string | null): Promise<OrderSink> {
  if (path === null)
    return {
      path,
      lines: () => 0,
      settled: () => Promise.resolve(),
      stop: () => Promise.resolve(),
      failed: new Promise(() => {}),
    }
  const progress = groupProgress(world, broker, 'data-sink')
  const sink = await startTopicToFile(world, broker, {
    topic: productMetricsRows.topic,
    path,
    onKept: (places) => progress.moved(places),
  })
  return {
    path,
    lines: () => sink.lines,
    settled: () => sink.settled(),
    failed: sink.failed,
    async stop() {
      await sink.stop()
      await progress.stop()
    },
  }
}
