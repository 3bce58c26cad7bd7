// The first file of every child process: loads the module it was spawned with and calls its default export.
import { setPriority } from 'node:os'
import { nodeWorld } from './node.ts'
import type { ThreadStart } from './node-threads.ts'
import type { ThreadMain, ThreadPort } from './world.ts'

/** Whatever the log does goes first. */
const niceness = 19
try {
  setPriority(niceness)
} catch {
  // Not allowed: then it is as nice as we are.
}
// Ctrl-C goes to the whole group: our end is our parent's business …
process.on('SIGINT', () => {})
process.on('SIGTERM', () => {})
// … and when that is gone, however it went, so are we: at once, whatever a library of ours is doing on its own threads.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'))

/** Messages wait here until someone listens. */
const early: unknown[] = []
let listener: ((message: unknown) => void) | null = null
const port: ThreadPort = {
  post: (message) => {
    // Nobody reads it any more: then our end is near.
    if (process.connected) process.send?.(message, () => {})
  },
  onMessage: (handler) => {
    listener = handler
    for (const message of early.splice(0)) handler(message)
  },
}
const start = await new Promise<ThreadStart>((resolve) => {
  process.once('message', (message) => {
    process.on('message', (next) => {
      if (listener === null) early.push(next)
      else listener(next)
    })
    resolve(message as ThreadStart)
  })
})
const loaded = (await import(start.module)) as { readonly default: ThreadMain }
loaded.default(port, start.data, nodeWorld({ syncs: 'pool' }))
