// An open file of the simulated file system.
import { assert } from '../src/std/assert.ts'
import { type File, FsError } from '../src/world/world.ts'
import type { FileNode } from './disk.ts'
import { type Context, epochMs, type Machine } from './machine.ts'
import type { SimSyncer } from './syncer.ts'

export class SimFile implements File {
  readonly path: string
  readonly #machine: Machine
  readonly #context: Context
  readonly #syncer: SimSyncer
  readonly #id: number
  readonly #writable: boolean
  #closed = false

  constructor(machine: Machine, context: Context, syncer: SimSyncer, path: string, id: number, writable: boolean) {
    this.path = path
    this.#machine = machine
    this.#context = context
    this.#syncer = syncer
    this.#id = id
    this.#writable = writable
  }

  write(bytes: Uint8Array, position: number): number {
    this.#assertOpen('write')
    if (!this.#writable) throw new FsError('EBADF', 'write', this.path)
    if (bytes.length === 0) return 0
    const crash = this.#machine.begin(this.#context, 'write', this.path)
    if (crash !== null) {
      // The process dies within the call: a part is in the cache, the rest only in its dying dream.
      const part = Math.floor(crash.part * bytes.length)
      this.#put(bytes.subarray(0, part), position)
      this.#context.crash(crash.crash)
      this.#put(bytes.subarray(part), position + part)
      return bytes.length
    }
    const count = this.#context.alive ? this.#roomFor(bytes.length, position) : bytes.length
    this.#put(bytes.subarray(0, count), position)
    return count
  }

  read(into: Uint8Array, position: number): number {
    this.#assertOpen('read')
    const file = this.#file()
    let count = Math.max(0, Math.min(into.length, file.sizeBytes - position))
    if (count > 1 && this.#isShort()) count = 1 + this.#machine.random.below(count - 1)
    into.set(file.data.subarray(position, position + count))
    return count
  }

  sizeBytes(): number {
    this.#assertOpen('sizeBytes')
    return this.#file().sizeBytes
  }

  truncate(sizeBytes: number): void {
    this.#assertOpen('truncate')
    if (!this.#writable) throw new FsError('EINVAL', 'truncate', this.path)
    const crash = this.#machine.begin(this.#context, 'truncate', this.path)
    if (crash !== null && crash.part < 0.5) this.#context.crash(crash.crash)
    this.#context.disk.truncate(this.#file(), sizeBytes)
    if (crash !== null && crash.part >= 0.5) this.#context.crash(crash.crash)
  }

  async sync(): Promise<void> {
    this.#assertOpen('sync')
    await this.#syncer.sync(this.#id, this.path, 'sync')
  }

  close(): void {
    this.#assertOpen('close')
    this.#closed = true
  }

  /** How many bytes go out now: all, fewer for no reason, or what the disk still takes. */
  #roomFor(count: number, position: number): number {
    this.#machine.mayFill()
    const extends_ = position + count > this.#file().sizeBytes
    const free = extends_ ? this.#machine.freeBytes() : Infinity
    if (free === 0) {
      // The first write to a full disk often moves a part before it fails.
      const part = this.#machine.fills && this.#machine.random.below(2) === 0 ? this.#machine.random.below(count) : 0
      if (part === 0) throw new FsError('ENOSPC', 'write', this.path)
      return part
    }
    if (free < count) return free
    return count > 1 && this.#isShort() ? 1 + this.#machine.random.below(count - 1) : count
  }

  #isShort(): boolean {
    return this.#machine.faults.shortOdds > 0 && this.#machine.random.float() < this.#machine.faults.shortOdds
  }

  #put(bytes: Uint8Array, position: number): void {
    const file = this.#file()
    this.#context.disk.write(file, bytes, position)
    file.modifiedMs = epochMs + this.#machine.scheduler.nowMs
  }

  #file(): FileNode {
    return this.#context.disk.file(this.#id)
  }

  #assertOpen(operation: string): void {
    assert(!this.#closed, `${operation} after close: ${this.path}`)
  }
}
