// A syncer on Node's thread pool, in the order of asking: for programs that use the pool for nothing else. It does
// without a thread of our own, which takes 20 to 30 MB and 0.1 s to start; a sync takes as long.
import { close, fdatasync, fsync, open } from 'node:fs'
import type { Syncer } from './node-syncer.ts'
import type { SyncRequest } from './node-syncer-thread.ts'

interface Waiting {
  readonly request: SyncRequest
  readonly resolve: (code: string | null) => void
}
type Failure = NodeJS.ErrnoException | null | undefined

/** Requests made while a batch is under way form the next; those of a batch for the same file are one sync. */
export function poolSyncer(): Syncer {
  let next: Waiting[] = []
  let underWay = false

  const work = async (): Promise<void> => {
    underWay = true
    while (next.length > 0) {
      const batch = next
      next = []
      const done = new Map<number | string, string | null>()
      for (const { request, resolve } of batch) {
        const key = request.kind === 'file' ? request.fd : request.path
        let code = done.get(key)
        if (code === undefined) {
          code = await syncOne(request)
          done.set(key, code)
        }
        resolve(code)
      }
    }
    underWay = false
  }

  return {
    sync: (request) =>
      new Promise((resolve) => {
        next.push({ request, resolve })
        if (!underWay) void work()
      }),
  }
}

function syncOne(request: SyncRequest): Promise<string | null> {
  return new Promise((resolve) => {
    const told = (error: Failure): void => resolve(error == null ? null : (error.code ?? 'EIO'))
    if (request.kind === 'file') {
      fdatasync(request.fd, told)
      return
    }
    open(request.path, 'r', (error, folder) => {
      if (error !== null) told(error)
      else fsync(folder, (failed) => close(folder, (unclosed) => told(failed ?? unclosed)))
    })
  })
}
