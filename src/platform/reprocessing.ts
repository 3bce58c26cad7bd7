// Windows that late records are missing from, of pipelines in a data directory that nobody holds.
import { openBroker } from '../broker/broker.ts'
import { pipelines } from '../commerce/commerce.ts'
import { type Reprocessed, reprocess } from '../connect/connect.ts'
import type { World } from '../world/world.ts'

export interface ReprocessedPipeline extends Reprocessed {
  readonly pipeline: string
}

/** Of the pipelines named, or of all; those without marks are left out. */
export async function reprocessData(
  world: World,
  dataDir: string,
  names: readonly string[],
): Promise<readonly ReprocessedPipeline[]> {
  const broker = await openBroker(world, { dataDir, durability: 'power' })
  try {
    const done: ReprocessedPipeline[] = []
    for (const { name, plan } of pipelines.values()) {
      if (names.length > 0 && !names.includes(name)) continue
      const made = await reprocess(world, broker, plan)
      if (made.recomputed + made.waiting + made.notInTheLog.length > 0) done.push({ pipeline: name, ...made })
    }
    return done
  } finally {
    await broker.close()
  }
}
