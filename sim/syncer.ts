// The simulated syncer thread of one process: one sync after the other, each with its latency and perhaps its failure.
import { FsError } from '../src/world/world.ts'
import type { Capture, Disk, FolderCapture } from './disk.ts'
import type { Context, Machine } from './machine.ts'

type Written =
  | { readonly kind: 'file'; readonly capture: Capture }
  | { readonly kind: 'folder'; readonly capture: FolderCapture }
interface UnderWay {
  readonly id: number
  /** Taken at the call, or null where the sync will write what it finds at its end: both are within its promise. */
  readonly written: Written | null
}

export class SimSyncer {
  readonly #machine: Machine
  readonly #context: Context
  readonly #underWay = new Set<UnderWay>()
  #freeAtMs = 0

  constructor(machine: Machine, context: Context) {
    this.#machine = machine
    this.#context = context
  }

  /** Resolves when what was there at the call is on the platter; never in a process that dies before. */
  sync(id: number, path: string, operation: 'sync' | 'syncFolder'): Promise<void> {
    const { scheduler, random } = this.#machine
    const crash = this.#machine.begin(this.#context, 'sync', path)
    if (crash !== null) this.#context.crash(crash.crash)
    const request: UnderWay = { id, written: random.below(2) === 0 ? look(this.#context.disk, id) : null }
    this.#underWay.add(request)
    const startMs = Math.max(this.#freeAtMs, scheduler.nowMs)
    this.#freeAtMs = startMs + latencyMs(random.float(), random.float())
    return new Promise((resolve, reject) => {
      this.#context.after(this.#freeAtMs - scheduler.nowMs, () => {
        this.#underWay.delete(request)
        const fails = this.#finish(request, path)
        if (!this.#context.alive) return
        if (fails) reject(new FsError('EIO', operation, path))
        else resolve()
      })
    })
  }

  /** The process was killed: syncs that the kernel had begun went well or badly, and nobody was told. */
  abandon(): void {
    const { random, faults } = this.#machine
    for (const request of this.#underWay) {
      const fails = random.float() < faults.syncErrorOdds
      if (fails || random.below(2) === 0) this.#write(this.#machine.disk, request, fails)
    }
    this.#underWay.clear()
  }

  /** Answers whether the sync failed. */
  #finish(request: UnderWay, path: string): boolean {
    const { random, faults } = this.#machine
    let fails = random.float() < faults.syncErrorOdds
    let crash: ReturnType<Machine['begin']> = null
    try {
      crash = this.#machine.begin(this.#context, 'synced', path)
    } catch {
      fails = true // a planned failure
    }
    if (crash !== null && crash.part < 0.5) this.#context.crash(crash.crash)
    if (this.#context.alive) this.#write(this.#context.disk, request, fails)
    if (crash !== null && crash.part >= 0.5) this.#context.crash(crash.crash)
    if (fails) this.#machine.note(`EIO ${path}`)
    return fails
  }

  #write(disk: Disk, request: UnderWay, fails: boolean): void {
    const { random } = this.#machine
    const written = request.written ?? look(disk, request.id)
    if (written === null) return
    if (written.kind === 'folder') {
      const reaches = fails ? (): boolean => random.below(2) === 0 : (): boolean => true
      disk.persistFolder(disk.folder(request.id), written.capture, reaches)
    } else if (fails) disk.persistBadly(disk.file(request.id), written.capture, random)
    else disk.persist(disk.file(request.id), written.capture)
  }
}

function look(disk: Disk, id: number): Written | null {
  const node = disk.nodes.get(id)
  if (node === undefined) return null
  return node.kind === 'file'
    ? { kind: 'file', capture: disk.capture(node) }
    : { kind: 'folder', capture: disk.captureFolder(node) }
}

/** Mostly a fraction of a millisecond up to a few, now and then the hiccup of a busy disk. */
function latencyMs(a: number, b: number): number {
  return b < 0.02 ? 20 + 400 * a : 0.2 + 3 * a * a
}
