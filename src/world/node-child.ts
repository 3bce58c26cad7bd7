// A child process as a `Thread`: Node's fork with structured clones over its channel, killed hard, gone when we are.
import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { ThreadStart } from './node-threads.ts'
import type { Thread } from './world.ts'

const wordsMax = 4_096

export class NodeChild implements Thread {
  readonly #child: ChildProcess
  /** Messages that came before anyone listened. */
  #early: unknown[] = []
  #onMessage: ((message: unknown) => void) | null = null
  #onExit: ((error: Error | null) => void) | null = null
  #exit: { readonly error: Error | null } | null = null
  #error: Error | null = null
  #stopped = false
  #words = ''
  readonly #over: Promise<void>

  constructor(module: URL, data: unknown) {
    const start: ThreadStart = { module: module.href, data }
    this.#child = fork(fileURLToPath(new URL('./node-child-start.ts', import.meta.url)), [], {
      serialization: 'advanced',
      execArgv: [],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    // What it has to say comes as messages; its last words on stderr tell why it went.
    this.#child.stderr?.on('data', (bytes: Buffer) => {
      this.#words = `${this.#words}${bytes.toString()}`.slice(-wordsMax)
    })
    this.#child.send(start)
    this.#child.on('message', (message: unknown) => {
      if (this.#onMessage === null) this.#early.push(message)
      else this.#onMessage(message)
    })
    this.#child.on('error', (error) => {
      this.#error = error
    })
    this.#over = new Promise((resolve) => {
      this.#child.once('close', (code, signal) => {
        const how = signal === null ? `left with exit code ${code}` : `was ended by ${signal}`
        const words = /^\w*Error: (.*)$/m.exec(this.#words)?.[1] ?? ''
        const silent = code === 0 || this.#stopped ? null : new Error(words === '' ? `the process ${how}` : words)
        this.#exit = { error: this.#stopped ? null : (this.#error ?? silent) }
        this.#onExit?.(this.#exit.error)
        resolve()
      })
    })
  }

  post(message: unknown): void {
    // One that is ending has closed its channel: `onExit` tells.
    if (this.#child.connected) this.#child.send(message as object, () => {})
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
    this.#child.kill('SIGKILL')
    await this.#over
  }
}
