// Wrong doorways: the mistakes a doorway between log and engine can make (and a prototype made), put between the job and
// the log. The right doorway passes every ride; each of these must be caught by some, or the rides prove nothing.
import { decodeTick } from '../../src/connect/job-ticks.ts'
import type { Cursor, Follower, JobState, LogEntry } from '../../src/log/log.ts'
import { lsn, offset } from '../../src/std/units.ts'
import type { Mutation } from './run-flow.ts'

export interface Mutant {
  readonly name: string
  readonly mutation: Mutation
  /** A flow in which it shows. */
  readonly flow: string
  /** The rides that must catch it. It passes the whole ride where that is not the one: it is the crash that shows it. */
  readonly by: 'whole' | 'commit' | 'snapshots+commit' | 'refuse'
  /** What is said when it is caught for the right reason. */
  readonly caught: RegExp
}

/** After a start everything is put out again that the replay makes due. */
const replayEmits: Mutation = () => (log) => {
  let stands: Cursor = log.origin()
  return {
    ...log,
    async takeJob(job) {
      const state = await log.takeJob(job)
      stands = state.cursor
      return { ...state, cursor: log.origin() }
    },
    async commit(commit) {
      const cursor = place(commit.cursor) > place(stands) ? commit.cursor : stands
      const made = await log.commit({ ...commit, previous: stands, cursor })
      stands = cursor
      return made
    },
  }
}
/** Half of the outputs first, then the rest with the cursor. */
const splitCommit: Mutation = () => (log) => ({
  ...log,
  async commit(commit) {
    const half = Math.ceil(commit.appends.length / 2)
    if (commit.appends.length < 2) return log.commit(commit)
    await log.commit({ ...commit, cursor: commit.previous, appends: commit.appends.slice(0, half) })
    return log.commit({ ...commit, appends: commit.appends.slice(half) })
  },
})
/** Says "committed" at once: the snapshot is on disk before the commit is on its way. */
const snapshotAhead: Mutation = () => (log, world) => {
  let last: Promise<unknown> = Promise.resolve()
  return {
    ...log,
    async commit(commit) {
      last = Promise.all([last, world.clock.sleep(500)])
        .then(() => log.commit(commit))
        .catch(() => {})
      return { lsn: lsn(0), baseOffsets: commit.appends.map(() => offset(0)) }
    },
  }
}
/** Whoever commits is taken for the owner, and for one who stands where the job stands. */
const noFence: Mutation = () => {
  let state: JobState | null = null
  return (log) => ({
    ...log,
    async takeJob(job) {
      state = await log.takeJob(job)
      return state
    },
    async commit(commit) {
      const { epoch, cursor: previous } = state ?? { epoch: commit.epoch, cursor: commit.previous }
      const cursor = place(commit.cursor) > place(previous) ? commit.cursor : previous
      // In one turn with the commit: the next one finds the job where this one puts it.
      state = { epoch, cursor }
      return log.commit({ ...commit, epoch, previous, cursor })
    },
  })
}
/** Who is idle is told to the job alone; the log does not know. */
const idlenessNotRecorded: Mutation = () => (log) => {
  const told: ((payload: Uint8Array) => void)[] = []
  return {
    ...log,
    async tick(job, payload) {
      if (decodeTick(payload).idle.length === 0) return log.tick(job, payload)
      for (const tell of told) tell(payload)
    },
    follow(follow): Follower {
      const inner = log.follow(follow)
      let waiting: Uint8Array[] = []
      let wake = (): void => {}
      told.push((payload) => {
        waiting.push(payload)
        wake()
      })
      return {
        poll(maxBytes) {
          const after = inner.cursor()
          const ticks = waiting.map((payload): LogEntry => ({ kind: 'tick', lsn: lsn(0), after, payload }))
          waiting = []
          return ticks.length > 0 ? ticks : inner.poll(maxBytes)
        },
        ready: () =>
          new Promise((resolve) => {
            wake = resolve
            if (waiting.length > 0) resolve()
            void inner.ready().then(resolve)
          }),
        caughtUp: () => waiting.length === 0 && inner.caughtUp(),
        cursor: () => inner.cursor(),
        close: () => inner.close(),
      }
    },
  }
}
/** Dead letters are appended by themselves, just before their commit. */
const deadLettersBeside: Mutation = () => (log) => ({
  ...log,
  async commit(commit) {
    const beside = commit.appends.filter(({ topic }) => topic.endsWith('.dlq'))
    for (const { topic, partition, batch } of beside) await log.append(topic, partition, batch)
    return log.commit({ ...commit, appends: commit.appends.filter((append) => !beside.includes(append)) })
  },
})
/** The cursor first, what became due after it. */
const cursorFirst: Mutation = () => (log) => ({
  ...log,
  async commit(commit) {
    const made = await log.commit({ ...commit, appends: [] })
    if (commit.appends.length > 0) await log.commit({ ...commit, previous: commit.cursor })
    return made
  },
})
/** One of the outputs stays behind. */
const partOfACommit: Mutation = () => (log) => ({
  ...log,
  commit: (commit) =>
    log.commit({ ...commit, appends: commit.appends.length < 2 ? commit.appends : commit.appends.slice(1) }),
})
/** A refused commit is taken for made. */
const refusalUnheard: Mutation = () => (log) => ({
  ...log,
  commit: (commit) => log.commit(commit).catch(() => log.commit({ ...commit, appends: [] })),
})

/** Of the embedded log's cursors. */
const place = (cursor: Cursor): number => Number(cursor.slice(1))

export const mutants: readonly Mutant[] = [
  {
    name: 'replay that emits',
    mutation: replayEmits,
    flow: 'late-is-corrected-once-per-tick',
    by: 'commit',
    caught: /\+ 0 \["2026-01-01T00:00:00Z","2026-01-01T00:01:00Z"\].*"on-time"/,
  },
  {
    name: 'replay that emits, dead letters',
    mutation: replayEmits,
    flow: 'lookup-unknown-is-a-dead-letter',
    by: 'commit',
    caught: /--- dead letters[\s\S]*\+ 0@1/,
  },
  {
    name: 'a commit split in two',
    mutation: splitCommit,
    flow: 'ticks-on-change',
    by: 'commit',
    caught: /--- changelog per-seller-patient[\s\S]*\n\+ /,
  },
  {
    name: 'snapshot ahead of its commit',
    mutation: snapshotAhead,
    flow: 'time-windows-are-start-to-end',
    by: 'snapshots+commit',
    caught: /the place that the job has committed was not met/,
  },
  {
    name: 'no fence on epoch and previous cursor',
    mutation: noFence,
    flow: 'crash-of-a-job-taken-over',
    by: 'whole',
    caught: /\n\+ null +\d0 .*\n|rows came as/,
  },
  {
    name: 'idleness not recorded',
    mutation: idlenessNotRecorded,
    flow: 'time-a-waking-partition-is-raised',
    by: 'commit',
    caught: /the watermark is|--- late|\n\+ .*"on-time"/,
  },
  {
    name: 'dead letters beside the commit',
    mutation: deadLettersBeside,
    flow: 'lookup-unknown-is-a-dead-letter',
    by: 'commit',
    caught: /--- dead letters[\s\S]*\+ 0@/,
  },
  {
    name: 'the cursor before its outputs',
    mutation: cursorFirst,
    flow: 'ticks-on-change',
    by: 'commit',
    caught: /--- changelog per-seller-patient[\s\S]*\n- /,
  },
  {
    name: 'a commit that flushes only part',
    mutation: partOfACommit,
    flow: 'ticks-on-change',
    by: 'whole',
    caught: /--- changelog per-seller-patient[\s\S]*\n- /,
  },
  {
    name: 'a refused commit taken for made',
    mutation: refusalUnheard,
    flow: 'ticks-on-change',
    by: 'refuse',
    caught: /--- changelog per-seller-patient[\s\S]*\n- /,
  },
]
