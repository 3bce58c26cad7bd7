// A plain reader, in a process of its own: fetches a topic from its beginning and counts records by the batch headers.
import { z } from 'zod'
import { baseOffset, lastOffset, nextBatchEnd, recordCount } from '../src/wire/record-batch.ts'
import { givenToChild, tellParent } from './child.ts'
import { fetchedBatches, fetchFrame, KafkaConnection } from './kafka-wire.ts'

const given = givenToChild(z.object({ kafka: z.string(), topic: z.string(), partitions: z.int(), records: z.int() }))
/** As Java's consumer asks: 1 MiB a partition. */
const settings = { minBytes: 1, maxWaitMs: 500, maxBytes: 50 << 20, partitionMaxBytes: 1 << 20 }

const connection = await KafkaConnection.open(given.kafka)
const offsets = new Array<number>(given.partitions).fill(0)
let records = 0
let bytesRead = 0
const startedMs = performance.now()
while (records < given.records) {
  const before = records
  const answer = await connection.send(fetchFrame(given.topic, offsets, settings))
  bytesRead += answer.length
  fetchedBatches(answer, (partition, bytes, start, end) => {
    for (let at = start; ; ) {
      const batchEnd = nextBatchEnd(bytes, at, end)
      if (batchEnd === -1) break
      if (baseOffset(bytes, at) !== offsets[partition])
        throw new Error(`partition ${partition}: offset ${baseOffset(bytes, at)} came, ${offsets[partition]} was next`)
      records += recordCount(bytes, at)
      offsets[partition] = lastOffset(bytes, at) + 1
      at = batchEnd
    }
  })
  if (records === before) throw new Error(`nothing more came after ${records} of ${given.records} records`)
}
const seconds = (performance.now() - startedMs) / 1000
connection.close()
tellParent({ seconds, records, bytesRead })
