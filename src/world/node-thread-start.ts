// The first file of every worker thread: loads the module it was spawned with and calls its default export.
import { readlinkSync } from 'node:fs'
import { setPriority } from 'node:os'
import { parentPort, workerData } from 'node:worker_threads'
import { assert } from '../std/assert.ts'
import { nodeWorld } from './node.ts'
import type { ThreadStart } from './node-threads.ts'
import type { ThreadMain, ThreadPort } from './world.ts'

/** Long work beside the main thread gives way to it: on Linux each thread has a priority of its own (10: a tenth). */
const niceness = 10
try {
  setPriority(Number(readlinkSync('/proc/thread-self').split('/').at(-1)), niceness)
} catch {
  // No Linux, or not allowed: then all threads are alike.
}

const parent = parentPort
assert(parent !== null, 'started as a thread, not as a program')
const start = workerData as ThreadStart

const port: ThreadPort = {
  post: (message, transfer = []) => parent.postMessage(message, [...transfer]),
  // Messages wait in the port until someone listens; listening keeps the thread alive.
  onMessage: (handler) => {
    parent.on('message', handler)
  },
}
const loaded = (await import(start.module)) as { readonly default: ThreadMain }
// Its syncs are few and large: a thread beside this thread would be wasted on them.
loaded.default(port, start.data, nodeWorld({ syncs: 'pool' }))
