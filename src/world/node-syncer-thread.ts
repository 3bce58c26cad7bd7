// The body of the syncer thread: takes batches of sync requests, answers each with null or its errno name.
import { closeSync, fdatasyncSync, fsyncSync, openSync } from 'node:fs'
import { parentPort } from 'node:worker_threads'

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

const port = parentPort
if (port !== null) {
  port.on('message', (requests: readonly SyncRequest[]) => {
    syncBatch(requests, (code) => port.postMessage(code))
  })
}
