// The body of the syncer thread: takes batches of sync requests, answers each with null or its errno name.
//
// It sleeps on a word of shared memory, for it does nothing but sync: waking it so takes half of what a message takes, and
// its own event loop has no part in it. Words of the memory:
//   0  batches asked for so far
//   1  requests of this batch
//   2  of each, the number of the open file; -1: a folder, whose path comes as a message
import { closeSync, fdatasyncSync, fsyncSync, openSync } from 'node:fs'
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'

/** Requests of one batch, at most. */
export const batchMax = 1022
export const controlWords = 2 + batchMax

export type SyncRequest =
  | { readonly kind: 'file'; readonly fd: number }
  | { readonly kind: 'folder'; readonly path: string }

/** Requests of one batch were all made before it began, so one sync answers every request for the same file. */
function syncBatch(requests: readonly SyncRequest[], answer: (code: string | null) => void): void {
  const done = new Map<number | string, string | null>()
  for (const request of requests) {
    const key = request.kind === 'file' ? request.fd : request.path
    let code = done.get(key)
    if (code === undefined) {
      code = syncOne(request)
      done.set(key, code)
    }
    answer(code)
  }
}

function syncOne(request: SyncRequest): string | null {
  try {
    if (request.kind === 'file') fdatasyncSync(request.fd)
    else {
      const folder = openSync(request.path, 'r')
      try {
        fsyncSync(folder)
      } finally {
        closeSync(folder)
      }
    }
    return null
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'EIO'
  }
}

/** Fills the memory with a batch and wakes the thread. `say` brings it a message. */
export function askFor(control: Int32Array, requests: readonly SyncRequest[], say: (path: string) => void): void {
  for (const [i, request] of requests.entries()) {
    if (request.kind === 'folder') say(request.path)
    control[2 + i] = request.kind === 'file' ? request.fd : -1
  }
  control[1] = requests.length
  Atomics.add(control, 0, 1)
  Atomics.notify(control, 0)
}

function serve(port: NonNullable<typeof parentPort>, control: Int32Array): never {
  const nextRequest = (fd: number): SyncRequest =>
    fd >= 0 ? { kind: 'file', fd } : { kind: 'folder', path: String(receiveMessageOnPort(port)?.message) }
  for (let batches = 0; ; ) {
    Atomics.wait(control, 0, batches)
    batches = Atomics.load(control, 0)
    const requests = Array.from(control.subarray(2, 2 + control[1]!), nextRequest)
    syncBatch(requests, (code) => port.postMessage(code))
  }
}

if (parentPort !== null && workerData instanceof Int32Array) serve(parentPort, workerData)
