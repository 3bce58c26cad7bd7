// Node's worker threads as `Threads`.
import { Worker } from 'node:worker_threads'
import { NodeChild } from './node-child.ts'
import type { Thread, Threads } from './world.ts'

/** What the first file of the thread needs to know; see node-thread-start.ts. */
export interface ThreadStart {
  readonly module: string
  readonly data: unknown
}

export function nodeThreads(): Threads {
  return {
    spawn(module, data) {
      const start: ThreadStart = { module: module.href, data }
      return new NodeThread(
        new Worker(new URL('./node-thread-start.ts', import.meta.url), {
          workerData: start,
          execArgv: [],
          name: module.pathname.split('/').at(-1) ?? 'thread',
        }),
      )
    },
    spawnProcess: (module, data) => new NodeChild(module, data),
  }
}

class NodeThread implements Thread {
  readonly #worker: Worker
  /** Messages that came before anyone listened. */
  #early: unknown[] = []
  #onMessage: ((message: unknown) => void) | null = null
  #onExit: ((error: Error | null) => void) | null = null
  #exit: { readonly error: Error | null } | null = null
  #error: Error | null = null
  #stopped = false

  constructor(worker: Worker) {
    this.#worker = worker
    worker.on('message', (message: unknown) => {
      if (this.#onMessage === null) this.#early.push(message)
      else this.#onMessage(message)
    })
    worker.once('error', (error) => {
      this.#error = error instanceof Error ? error : new Error(String(error))
    })
    worker.once('exit', (code) => {
      const silent = code === 0 || this.#stopped ? null : new Error(`the thread left with exit code ${code}`)
      this.#exit = { error: this.#error ?? silent }
      this.#onExit?.(this.#exit.error)
    })
  }

  post(message: unknown, transfer: readonly ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, [...transfer])
  }

  onMessage(handler: (message: unknown) => void): void {
    this.#onMessage = handler
    const early = this.#early
    this.#early = []
    if (early.length > 0) setImmediate(() => early.forEach(handler))
  }

  onExit(handler: (error: Error | null) => void): void {
    this.#onExit = handler
    const exit = this.#exit
    if (exit !== null) setImmediate(() => handler(exit.error))
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#worker.terminate()
  }
}
