// From the Plans that a job ran to those that are wanted (docs/decisions/0025-plans-change-while-they-run.md): the new and
// changed ones are computed beside what runs, the state of all of them is kept, and one commit says that they are the job's.
import type { Upgrade } from '../engine/engine.ts'
import type { Commit, Cursor } from '../log/log.ts'
import { FsError, type World } from '../world/world.ts'
import { isPassing } from './passing-trouble.ts'
import type { Rebuilding } from './rebuilding.ts'
import type { Snapshot, SnapshotStore } from './snapshots.ts'

export class Switching {
  /** Resolves with the state at the switch, or with null when there will be none: the job was stopped, or failed. */
  readonly done: Promise<Snapshot | null>
  readonly #tell: (made: Snapshot | null) => void
  #made: Snapshot | null = null
  readonly #world: World
  readonly #upgrade: Upgrade
  readonly #rebuilding: Rebuilding
  /** Of the wanted plans. */
  readonly #snapshots: SnapshotStore | null
  readonly #record: () => Commit['appends'][number]

  constructor(
    world: World,
    upgrade: Upgrade,
    rebuilding: Rebuilding,
    snapshots: SnapshotStore | null,
    record: () => Commit['appends'][number],
  ) {
    this.#world = world
    this.#upgrade = upgrade
    this.#rebuilding = rebuilding
    this.#snapshots = snapshots
    this.#record = record
    const { promise, resolve } = Promise.withResolvers<Snapshot | null>()
    this.done = promise
    this.#tell = resolve
  }
  /** Bounded work on what is new; `there` when it stands where what runs stands. */
  step(until: Cursor): 'there' | 'more' | 'waits' {
    return this.#rebuilding.step(until)
  }
  /**
   * Both stand at a committed place. Keeps the state, and gives what is to be committed, in this order; null while the disk
   * has no room for it. The state is kept first: only the commit makes it the job's, and from then on it must be there.
   */
  async prepare(cursor: Cursor): Promise<Commit['appends'][] | null> {
    const state = this.#upgrade.cut()
    if (this.#snapshots !== null) {
      const keeping = this.#snapshots.begin(state)
      try {
        while (!keeping.step()) await new Promise<void>((next) => this.#world.clock.soon(next))
        await keeping.publish(cursor)
      } catch (error) {
        keeping.abandon()
        if (!(error instanceof FsError) || !isPassing(error)) throw error
        return null
      }
    }
    this.#made = { cursor, state }
    return await this.#rebuilding.commits(this.#record())
  }
  /** The log has the last of them. */
  switched(): void {
    this.#tell(this.#made)
  }
  close(): void {
    this.#rebuilding.close()
    this.#tell(null)
  }
}
