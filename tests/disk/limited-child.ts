// Appends to a broker whose files may not grow beyond a limit (`ulimit -f`), and tells how it went.
import { openBroker } from '../../src/broker/broker.ts'
import { LogError } from '../../src/log/log.ts'
import { offset, partitionId } from '../../src/std/units.ts'
import { BatchWriter } from '../../src/wire/batch-writer.ts'
import { lastOffset } from '../../src/wire/record-batch.ts'
import { nodeWorld } from '../../src/world/node.ts'

const [dataDir = '', count = '0'] = process.argv.slice(2)
const p0 = partitionId(0)
const settings = { dataDir, durability: 'power', freeBytesMin: 0, retention: { settles: false } } as const
const told = { taken: 0, refused: 0, messages: new Set<string>(), read: 0, readAgain: 0 }
const broker = await openBroker(nodeWorld(), settings)
await broker.createTopic({ name: 't', partitions: 1 })
for (let i = 0; i < Number(count); i++) {
  const writer = new BatchWriter()
  writer.append(null, new Uint8Array(50_000).fill(i), i)
  try {
    await broker.append('t', p0, writer.finish())
    told.taken++
  } catch (error) {
    if (!(error instanceof LogError) || !error.isTransient) throw error
    told.refused++
    told.messages.add(/E[A-Z]+/.exec(error.message)?.[0] ?? error.message)
  }
}
const readAll = async (from: typeof broker): Promise<number> => {
  let next = 0
  for (const { end } = from.offsets('t', p0); next < end; ) {
    for (const batch of await from.read('t', p0, offset(next), 1 << 20)) next = lastOffset(batch) + 1
  }
  return next
}
told.read = await readAll(broker)
await broker.close()
const again = await openBroker(nodeWorld(), settings)
told.readAgain = await readAll(again)
await again.close()
process.stdout.write(JSON.stringify({ ...told, messages: [...told.messages] }))
