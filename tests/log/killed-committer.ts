// A process that owns a job on a Kafka cluster and commits, and dies at a moment that it was told: right before one of
// its requests goes out, so that the cluster has seen exactly what came before.
//
//   node killed-committer.ts ADDRESS JOB TOPIC API WHICH     dies before the WHICH-th request of that key
import { openKafkaLog } from '../../src/connect/kafka-log.ts'
import { partitionId } from '../../src/std/units.ts'
import { nodeWorld } from '../../src/world/node.ts'
import type { Socket, World } from '../../src/world/world.ts'
import { batchOf, drained, textOf } from './log-contract.suite.ts'

const [address = '', job = '', topic = '', api = '', which = ''] = process.argv.slice(2)
let left = Number(which)
let isArmed = false

/** Requests go out as chunks; the first one of each begins with length, key, version. */
function deadly(socket: Socket): Socket {
  return Object.assign(Object.create(socket) as Socket, {
    write(bytes: Uint8Array): boolean {
      const key = bytes.length >= 8 ? new DataView(bytes.buffer, bytes.byteOffset).getInt16(4) : -1
      if (isArmed && key === Number(api) && --left === 0) process.kill(process.pid, 'SIGKILL')
      return socket.write(bytes)
    },
    onData: (handler: (bytes: Uint8Array) => void) => socket.onData(handler),
    onClose: (handler: (error: Error | null) => void) => socket.onClose(handler),
    destroy: () => socket.destroy(),
  })
}
const world = nodeWorld()
const net: World['net'] = { ...world.net, connect: async (to) => deadly(await world.net.connect(to)) }
const log = await openKafkaLog({ ...world, net }, { brokers: [address] })
const state = await log.takeJob(job)
const entries = await drained(log.follow({ job, topics: [topic], from: state.cursor }))
const cursor = entries.at(-1)?.after ?? state.cursor
process.stdout.write(`${JSON.stringify({ epoch: state.epoch, entries: entries.map(textOf) })}\n`)
isArmed = true
await log.commit({
  job,
  epoch: state.epoch,
  previous: state.cursor,
  cursor,
  appends: [0, 1].map((p) => ({
    topic: `${topic}.out`,
    partition: partitionId(p),
    batch: batchOf(`out of ${state.epoch}`),
  })),
})
process.stdout.write(`${JSON.stringify({ committed: state.epoch })}\n`)
await log.close()
