// What of the log is still needed: by jobs, from where they stand, and by followers, from where they are.
import { lsnOfCursor } from './cursors.ts'
import type { LogFollower } from './follower.ts'
import type { JobTable } from './job-table.ts'

/** The entries of these topics behind this LSN are needed. */
export interface Pin {
  readonly job: string
  readonly afterLsn: number
  readonly topics: ReadonlySet<string>
  /** And so many bytes of them before it: a job may start again from a snapshot that is older than its place. */
  readonly behindBytes: number
}
/** Of three snapshots, each after 64 MiB of input at the latest. */
const behindBytes = 3 * (64 << 20)

/** A job that never committed, or that nobody knows the topics of, needs nothing: it begins with what is there. */
export function pinsOf(jobs: JobTable, followers: Iterable<LogFollower>): Pin[] {
  const pins: Pin[] = []
  for (const [job, , cursor] of jobs.all()) {
    const afterLsn = lsnOfCursor(cursor, Number.MAX_SAFE_INTEGER)
    const topics = jobs.topics(job)
    if (afterLsn > 0 && topics !== null) pins.push({ job, afterLsn, topics: new Set(topics), behindBytes })
  }
  for (const { job, atLsn, topics } of followers)
    if (atLsn > 0) pins.push({ job, afterLsn: atLsn, topics, behindBytes: 0 })
  return pins
}

/** The topics that open followers of the job read, in order, if they are not those it read before; else undefined. */
export function newlyFollowed(
  followers: Iterable<LogFollower>,
  job: string,
  before: readonly string[] | null,
): readonly string[] | undefined {
  const names = new Set<string>()
  let found = false
  for (const follower of followers) {
    if (follower.job !== job) continue
    found = true
    for (const name of follower.topics) names.add(name)
  }
  const now = [...names].sort()
  const isKnown = before !== null && now.length === before.length && now.every((name, i) => name === before[i])
  return found && !isKnown ? now : undefined
}
