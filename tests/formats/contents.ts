// All that anyone can read from a data directory, as plain data; the directory is left as it is.
import { openOver } from '../../src/broker/care/inspect.ts'
import { offset, partitionId } from '../../src/std/units.ts'
import { baseOffset, lastOffset, recordSlots, recordsOf, walkRecords } from '../../src/wire/record-batch.ts'
import type { World } from '../../src/world/world.ts'

export async function contentsOf(world: World, dataDir: string): Promise<unknown> {
  const broker = await openOver(world, dataDir)
  const { topics, groups, jobs, clusterId } = broker.inventory()
  const records: Record<string, string[]> = {}
  for (const { name, partitions } of topics) {
    for (const { partition } of partitions) records[`${name}-${partition}`] = await recordsIn(broker, name, partition)
  }
  const trouble = broker.trouble()?.message ?? null
  const followed: string[] = []
  for (const { job, cursor } of jobs) {
    // What a job would go on with: an opaque cursor that must be understood still.
    const follower = broker.follow({ job, topics: ['plain'], from: cursor as ReturnType<typeof broker.now> })
    for (let entries = follower.poll(1 << 20); entries.length > 0; entries = follower.poll(1 << 20)) {
      for (const entry of entries) followed.push(`${job}: ${entry.kind} ${entry.lsn}`)
    }
    follower.close()
  }
  const aborted = topics.flatMap(({ name, partitions }) =>
    partitions.flatMap(({ partition, start, end }) => [
      ...broker.stable.abortedIn(name, partitionId(partition), offset(start), offset(end)),
    ]),
  )
  await broker.close()
  return {
    clusterId,
    trouble,
    topics: topics.map(({ name, id, configs, partitions }) => ({
      name,
      id,
      configs,
      partitions: partitions.map(({ partition, start, end }) => ({ partition, start, end })),
    })),
    groups,
    jobs,
    records,
    followed,
    aborted,
  }
}

async function recordsIn(
  broker: Awaited<ReturnType<typeof openOver>>,
  topic: string,
  partition: number,
): Promise<string[]> {
  const found: string[] = []
  const slots = recordSlots(1000)
  const text = (bytes: Uint8Array, from: number, to: number): string =>
    from < 0 ? 'null' : new TextDecoder().decode(bytes.subarray(from, to))
  const { start, end } = broker.offsets(topic, partitionId(partition))
  for (let next: number = start; next < end; ) {
    const batches = await broker.read(topic, partitionId(partition), offset(next), 1 << 20)
    if (batches.length === 0) break
    for (const batch of batches) {
      const { bytes, start: from, end: to } = recordsOf(batch)
      walkRecords(bytes, from, to, slots)
      for (let i = 0; i < slots.count; i++) {
        const at = baseOffset(batch) + slots.offsetDelta[i]!
        const key = text(bytes, slots.keyStart[i]!, slots.keyEnd[i]!)
        if (at >= next) found.push(`${at} ${key}: ${text(bytes, slots.valueStart[i]!, slots.valueEnd[i]!)}`)
      }
      next = lastOffset(batch) + 1
    }
  }
  return found
}
