// A job where its newest snapshot that fits was taken.
import { type Job, SnapshotError } from '../engine/engine.ts'
import type { Cursor } from '../log/log.ts'
import type { Snapshot, SnapshotStore } from './snapshots.ts'

/** The job where the newest snapshot that fits was taken; where none fits, a new one at the log's origin. */
export function openedAt(open: () => Job, snapshots: SnapshotStore | null, origin: Cursor): { job: Job; from: Cursor } {
  for (const { cursor, state } of snapshots?.stored() ?? []) {
    const job = open()
    try {
      job.restore(state)
      return { job, from: cursor }
    } catch (error) {
      // Of another release, or of plans that were kept otherwise: an older one may fit, and the log always does. The job
      // it was tried on may hold half of it, and is let go.
      if (!(error instanceof SnapshotError)) throw error
    }
  }
  return { job: open(), from: origin }
}

/** In the state that is given. */
export function openedBy(open: () => Job, { state, cursor }: Snapshot): { job: Job; from: Cursor } {
  const job = open()
  job.restore(state)
  return { job, from: cursor }
}
