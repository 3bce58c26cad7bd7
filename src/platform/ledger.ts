// The account of the house: of every topic that a job reads, by partition, in = processed + duplicates + late +
// dead-lettered + in flight. From the jobs while they run, and of a data directory that nobody holds.
import { openBroker } from '../broker/broker.ts'
import type { AccountLine, LogJob } from '../connect/connect.ts'
import type { Ledger } from '../serve/books-ports.ts'
import type { LedgerRow } from '../serve/ports.ts'
import { entryOf } from '../std/maps.ts'
import type { World } from '../world/world.ts'
import { jobsAtRest } from './jobs.ts'

const figures = ['in', 'processed', 'duplicates', 'late', 'deadLettered', 'inFlight'] as const

/**
 * Each topic as the first job sees it that reads it; what any other job cannot account for is there too, as records that
 * came in and are nowhere.
 */
export function ledgerOf(jobs: readonly Pick<LogJob, 'name' | 'ledger'>[]): Ledger {
  const topics = new Map<string, { readonly job: string; readonly lines: AccountLine[]; elsewhere: number }>()
  for (const { name, ledger } of jobs)
    for (const line of ledger()) {
      const account = entryOf(topics, line.topic, () => ({ job: name, lines: [], elsewhere: 0 }))
      if (account.job === name) account.lines.push(line)
      else account.elsewhere += Math.abs(line.imbalance)
    }
  let imbalance = 0
  const rows = [...topics]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([topic, { lines, elsewhere }]) => {
      const sum = { in: 0, processed: 0, duplicates: 0, late: 0, deadLettered: 0, inFlight: 0 }
      let missing = elsewhere
      for (const line of lines) {
        for (const figure of figures) sum[figure] += line[figure]
        missing += Math.abs(line.imbalance)
      }
      imbalance += missing
      return { topic, ...sum, imbalance: missing, partitions: lines }
    })
  return { imbalance, topics: rows }
}

/** For the page: a line a topic. What is nowhere is in `in`, and in none of the others. */
export function ledgerRows(jobs: readonly LogJob[]): LedgerRow[] {
  return ledgerOf(jobs).topics.map(({ topic, processed, duplicates, late, deadLettered, inFlight, imbalance }) => ({
    topic,
    in: processed + duplicates + late + deadLettered + inFlight + imbalance,
    ...{ processed, duplicates, late, deadLettered, inFlight },
  }))
}

/** Opens the data directory and looks where its jobs stand; nothing is processed. */
export async function ledgerAtRest(world: World, dataDir: string): Promise<Ledger> {
  const broker = await openBroker(world, { dataDir, durability: 'power' })
  try {
    const jobs = await jobsAtRest(world, broker, dataDir)
    try {
      return ledgerOf(jobs)
    } finally {
      await Promise.all(jobs.map((job) => job.stop()))
    }
  } finally {
    await broker.close()
  }
}
