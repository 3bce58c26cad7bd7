// The jobs: who owns each, and where it stands. Pure state; the journal makes it durable.
import { FencedError, type JobState } from '../log/log.ts'
import { cursorAt } from './cursors.ts'
import type { JobEntry } from './house-entries.ts'

export class JobTable {
  readonly #jobs = new Map<string, JobState>()
  /** What each follows, as of a commit of its. */
  readonly #topics = new Map<string, readonly string[]>()

  /** Where the job stands, with what is not durable yet. */
  state(job: string): JobState {
    return this.#jobs.get(job) ?? { epoch: 0, cursor: cursorAt(0) }
  }
  /** Returns the way back. */
  apply(entry: JobEntry, cursor: JobState['cursor']): () => void {
    const before = this.#jobs.get(entry.job)
    this.#jobs.set(entry.job, { epoch: entry.epoch, cursor })
    return () => {
      if (before === undefined) this.#jobs.delete(entry.job)
      else this.#jobs.set(entry.job, before)
    }
  }
  /** Throws a FencedError unless the commit is the owner's and builds on the job's last one. */
  check(job: string, epoch: number, previous: string): void {
    const state = this.state(job)
    if (state.epoch !== epoch) {
      throw new FencedError(`job ${job} is owned by epoch ${state.epoch}; epoch ${epoch} may not commit any more`)
    }
    if (state.cursor !== previous) {
      throw new FencedError(`job ${job} stands at ${state.cursor}; a commit that builds on ${previous} would not fit`)
    }
  }
  topics(job: string): readonly string[] | null {
    return this.#topics.get(job) ?? null
  }
  /** Returns the way back. */
  setTopics(job: string, topics: readonly string[]): () => void {
    const before = this.#topics.get(job)
    this.#topics.set(job, topics)
    return () => {
      if (before === undefined) this.#topics.delete(job)
      else this.#topics.set(job, before)
    }
  }
  allTopics(): [job: string, topics: readonly string[]][] {
    return [...this.#topics]
  }
  all(): [job: string, epoch: number, cursor: string][] {
    return [...this.#jobs].map(([job, { epoch, cursor }]) => [job, epoch, cursor])
  }
  get size(): number {
    return this.#jobs.size
  }
}
