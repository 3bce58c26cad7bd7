// A job that runs on a log, as those see it that started it.
import type { Handed } from './moved-places.ts'

/** What it is busy with; counts are since it was started. */
export interface JobLoad {
  readonly batchBytes: number
  /** Of the job's own thread, taking entries in. */
  readonly busyMs: number
  /** Worker threads at work. */
  readonly shards: number
  /** On their way to shards, or not yet taken in. */
  readonly queuedBytes: number
  /** Due, and not yet given to a commit. */
  readonly pendingOutputBytes: number
  readonly stateBytes: number
  /** Wall time of the last durable commit and of the last snapshot; null: none since it was started. */
  readonly committedAtMs: number | null
  readonly snapshotAtMs: number | null
}
export interface RunningJob {
  readonly epoch: number
  /** True when all that is durable in the log has gone through the engine. */
  caughtUp(): boolean
  /** Resolves when the job has caught up with the log as it is now and what that made due is committed, or when it was stopped; rejects with what `failed` tells. */
  settled(): Promise<void>
  /** Why it waits (the log's disk is full); null: it does not. It goes on by itself. */
  trouble(): Error | null
  /** Commits, takes a last snapshot and stops. While the log takes no commit, the next start does that part again. */
  stop(): Promise<void>
  load(): JobLoad
  /** What the log handed to it from a partition. */
  handed(topic: string, partition: number): Handed
  /** Resolves with the reason if the job can go on no longer (fenced, storage failed, a bug). Never rejects. */
  readonly failed: Promise<Error>
}
