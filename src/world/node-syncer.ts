// The syncer: one thread of our own that does every fdatasync and fsync, in the order they were asked for.
//
// Not Node's thread pool (as in node-syncer-pool.ts): there a sync waits behind whatever else the process does (beside four analytical queries its
// median went from 0.75 to 239 ms). File numbers belong to the process, so the thread can sync what the main thread
// opened. Requests made while a batch is under way form the next batch.
import { Worker } from 'node:worker_threads'
import { assert } from '../std/assert.ts'
import { askFor, batchMax, controlWords, type SyncRequest } from './node-syncer-thread.ts'

export interface Syncer {
  /** Null once what was written before the call is on disk, else the errno name. Never asked twice for one failure. */
  sync(request: SyncRequest): Promise<string | null>
}

interface Waiting {
  readonly request: SyncRequest
  readonly resolve: (code: string | null) => void
}

/** The thread starts with the first sync, and keeps the process alive only while a sync is under way. */
export function nodeSyncer(): Syncer {
  let worker: Worker | null = null
  let control: Int32Array = new Int32Array(0)
  let underWay: Waiting[] = []
  let next: Waiting[] = []

  /** The thread died (out of memory, say): nobody knows what reached the disk, so all who wait are told EIO. */
  const lost = (): void => {
    worker = null
    const all = [...underWay, ...next]
    underWay = []
    next = []
    for (const waiting of all) waiting.resolve('EIO')
  }

  const start = (): Worker => {
    control = new Int32Array(new SharedArrayBuffer(4 * controlWords))
    const started = new Worker(new URL('./node-syncer-thread.ts', import.meta.url), {
      name: 'syncer',
      workerData: control,
      execArgv: [],
      stdin: false,
      env: {},
    })
    started.on('message', (code: string | null) => {
      const done = underWay.shift()
      assert(done !== undefined, 'the syncer answered what nobody asked')
      if (underWay.length === 0) {
        if (next.length > 0) send()
        else started.unref()
      }
      done.resolve(code)
    })
    started.once('error', lost)
    started.once('exit', () => {
      if (worker === started) lost()
    })
    return started
  }

  const send = (): void => {
    worker ??= start()
    const thread = worker
    underWay = next.splice(0, batchMax)
    thread.ref()
    askFor(
      control,
      underWay.map((waiting) => waiting.request),
      (path) => thread.postMessage(path),
    )
  }

  return {
    sync: (request) =>
      new Promise((resolve) => {
        next.push({ request, resolve })
        if (underWay.length === 0) send()
      }),
  }
}
