// A Nexmark query on the engine: lines of files in, lines of rows out.
import { ndjsonFromFiles } from '../../src/connect/ndjson-source.ts'
import { encodeRow, openJob, type SourceBatch } from '../../src/engine/engine.ts'
import { nodeWorld } from '../../src/world/node.ts'
import { type NexmarkName, nexmarkQueries } from './queries.ts'
import type { NexmarkTopic } from './traffic.ts'

/** Returns how many records were read. Topics are read by turns, a batch of each. */
export async function runOurs(
  name: NexmarkName,
  files: Readonly<Record<NexmarkTopic, string>>,
  write: (rows: string) => void,
): Promise<number> {
  const { plan, reads } = nexmarkQueries[name]
  const partitions = Object.fromEntries(reads.map((topic) => [topic, 1]))
  const job = openJob([plan], { bounded: true, partitions })
  const world = nodeWorld()
  let read = 0
  const deliver = (): void => {
    const { results, deadLetters } = job.take()
    if (deadLetters.length > 0) throw new Error(`${deadLetters.length} dead letters: the generator makes none`)
    for (const batch of results) {
      let rows = ''
      for (let row = 0; row < batch.count; row++) rows += `${encodeRow(batch, row)}\n`
      write(rows)
    }
  }
  const onOverlong = (): never => {
    throw new Error('the generator makes no long lines')
  }
  let open = reads.map((topic) =>
    inTurns(ndjsonFromFiles(world, [files[topic]], { topic, partition: 0, onOverlong }).batches()),
  )
  while (open.length > 0) {
    const left: typeof open = []
    for (const batches of open) {
      const next = await batches.next()
      if (next.done === true) continue
      left.push(batches)
      read += next.value.count
      job.push(next.value)
      deliver()
    }
    open = left
  }
  job.finish()
  deliver()
  return read
}

async function* inTurns(batches: AsyncIterable<SourceBatch> | Iterable<SourceBatch>): AsyncGenerator<SourceBatch> {
  yield* batches
}
