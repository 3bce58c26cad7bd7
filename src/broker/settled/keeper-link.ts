// The line to the keeper: started when first asked, one request at a time, its answers checked into plain promises.
import { assert } from '../../std/assert.ts'
import type { Thread, Threads } from '../../world/world.ts'
import {
  type KeeperAnswer,
  KeeperError,
  type KeeperRequest,
  type KeeperSettings,
  type PartitionChange,
} from './keeping.ts'

interface Asked {
  readonly request: KeeperRequest
  readonly changed: (partitions: readonly PartitionChange[]) => void
  readonly resolve: (firstNumber: number) => void
  readonly reject: (error: KeeperError) => void
}

export class KeeperLink {
  readonly #threads: Threads
  readonly #settings: () => KeeperSettings
  #thread: Thread | null = null
  #asked: Asked | null = null
  #waiting: Asked[] = []
  #ended: KeeperError | null = null
  #idle: (() => void)[] = []

  /** `settings` is asked for when the keeper starts. */
  constructor(threads: Threads, settings: () => KeeperSettings) {
    this.#threads = threads
    this.#settings = settings
  }

  /** Rejects with a KeeperError. `changed` is told before it resolves, a few partitions at a time. */
  ask(request: KeeperRequest, changed: Asked['changed'] = () => {}): Promise<number> {
    return new Promise((resolve, reject) => {
      if (this.#ended !== null) {
        reject(this.#ended)
        return
      }
      this.#waiting.push({ request, changed, resolve, reject })
      this.#next()
    })
  }
  #next(): void {
    if (this.#asked !== null) return
    const next = this.#waiting.shift() ?? null
    this.#asked = next
    if (next === null) {
      for (const told of this.#idle.splice(0)) told()
      return
    }
    this.#thread ??= this.#start()
    this.#thread.post(next.request)
  }
  #start(): Thread {
    const thread = this.#threads.spawn(new URL('./keeper-thread.ts', import.meta.url), this.#settings())
    // What comes is what keeper.ts says.
    thread.onMessage((message) => this.#answered(message as KeeperAnswer))
    thread.onExit((error) => {
      if (this.#thread === thread) this.#end(`the keeper of the settled files ended: ${error?.message ?? 'stopped'}`)
    })
    return thread
  }
  #answered(answer: KeeperAnswer): void {
    const asked = this.#asked
    assert(asked !== null, 'the keeper answered what nobody asked')
    if (answer.what === 'changed') {
      asked.changed(answer.partitions)
      return
    }
    this.#asked = null
    if (answer.what === 'done') asked.resolve(answer.firstNumber)
    else asked.reject(new KeeperError(answer.code, answer.message))
    this.#next()
  }
  #end(reason: string): void {
    const error = new KeeperError('FAILED', reason)
    this.#ended = error
    const all = [...(this.#asked === null ? [] : [this.#asked]), ...this.#waiting]
    this.#asked = null
    this.#waiting = []
    for (const asked of all) asked.reject(error)
    for (const told of this.#idle.splice(0)) told()
  }

  /** Lets the request under way come to its end; those that wait are refused. */
  async close(): Promise<void> {
    const waiting = this.#waiting
    this.#waiting = []
    const closed = new KeeperError('FULL', 'the log is closed')
    for (const asked of waiting) asked.reject(closed)
    this.#ended ??= closed
    if (this.#asked !== null) await new Promise<void>((resolve) => this.#idle.push(resolve))
    const thread = this.#thread
    this.#thread = null
    await thread?.stop()
  }
}
