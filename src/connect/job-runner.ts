// Runs a job on a log, exactly once (design A8): entries in visibility order go in, due results and the cursor come out
// as one atomic commit. After a crash: the newest snapshot, then a replay up to the committed cursor with its outputs
// thrown away (they are in the log already), then on.
import type { Job } from '../engine/engine.ts'
import type { Commit, Cursor, Follower, Log, LogEntry } from '../log/log.ts'
import { WireError } from '../wire/wire-error.ts'
import { FsError, type World } from '../world/world.ts'
import { openedAt, openedBy } from './job-opening.ts'
import { idleCommitMs, pendingOutputBytesMax, snapshotEveryBytes, snapshotEveryMs, stepBytesMax } from './job-paces.ts'
import type { JobSettings } from './job-settings.ts'
import { decodeTick } from './job-ticks.ts'
import { MovedPlaces } from './moved-places.ts'
import { type OutputWriter, outputWriter } from './outputs.ts'
import { isPassing } from './passing-trouble.ts'
import { commitAgainMs, PatientCommit } from './patient-commit.ts'
import { recordSource } from './record-source.ts'
import { ReplayError } from './replay-error.ts'
import type { JobLoad, RunningJob } from './running-job.ts'
import { Sharding } from './sharding.ts'
import { Silence } from './silence.ts'
import type { Keeping, Snapshot, SnapshotStore } from './snapshots.ts'
import type { Switching } from './switching.ts'
import { Ticking } from './ticking.ts'

/** Takes the job over and replays it to its committed cursor, or rejects with a ReplayError; resolves when it is running. */
export async function startJob(
  world: World,
  log: Log,
  open: () => Job,
  settings: JobSettings,
  given: Snapshot | null = null,
): Promise<{ readonly job: Job; readonly running: RunningJob }> {
  const state = await log.takeJob(settings.name)
  const { job, from } = given === null ? openedAt(open, settings.snapshots, log.origin()) : openedBy(open, given)
  const follower = log.follow({ job: settings.name, topics: job.topics, from })
  const runner = new JobRunner(world, log, job, settings, follower, state.epoch, state.cursor)
  await runner.replay(from)
  if (!settings.atRest) runner.run()
  return { job, running: runner }
}

class JobRunner implements RunningJob {
  readonly failed: Promise<Error>
  readonly epoch: number
  readonly #world: World
  readonly #log: Log
  readonly #job: Job
  readonly #settings: JobSettings
  readonly #follower: Follower
  readonly #outputs: OutputWriter
  readonly #pushRecords: ReturnType<typeof recordSource>
  readonly #fail: (error: Error) => void
  /** After the last entry that went through the engine. */
  #processed: Cursor
  /** Of the last durable commit: what the next one builds on. */
  #committed: Cursor
  #committing: Promise<void> | null = null
  #lastCommitMs: number
  /** For people, by the clock on the wall; null: not since it was started. */
  readonly #last: { committedAtMs: number | null; snapshotAtMs: number | null } = {
    committedAtMs: null,
    snapshotAtMs: null,
  }
  #lastSnapshotMs: number
  #bytesSinceSnapshot = 0
  #snapshotting: Promise<void> | null = null
  /** The state is being read for a snapshot: nothing may change it until this resolves. */
  #keeping: Promise<void> | null = null
  readonly #ticking: Ticking
  #readyWait: Promise<void> | null = null
  readonly #sharding: Sharding
  #stopping = false
  readonly #patience: PatientCommit
  /** Something failed, so the job is over: outputs of a refused commit are gone, a later one must not move past them. */
  #failure: Error | null = null
  readonly #moved: MovedPlaces
  #wake: () => void = () => {}
  #loop: Promise<void> = Promise.resolve()
  readonly #settledWaiters: { readonly resolve: () => void; readonly reject: (reason: Error) => void }[] = []

  constructor(
    world: World,
    log: Log,
    job: Job,
    settings: JobSettings,
    follower: Follower,
    epoch: number,
    committed: Cursor,
  ) {
    this.#world = world
    this.#log = log
    this.#job = job
    this.#settings = settings
    this.#follower = follower
    this.epoch = epoch
    this.#processed = follower.cursor()
    this.#committed = committed
    this.#patience = new PatientCommit(world.clock, log)
    this.#outputs = outputWriter(world.clock, settings.outputs, settings.contracts)
    this.#moved = new MovedPlaces(settings.onCommitted, job.ledger())
    this.#pushRecords = recordSource(job)
    this.#ticking = new Ticking(
      world,
      log,
      new Silence(world.clock, (topic) => log.topic(topic)?.partitions ?? 0, job.topics, settings.contracts),
      {
        job: settings.name,
        tickMs: settings.tickMs,
        caughtUp: () => follower.caughtUp(),
        nothingNew: () => this.#wake(),
        failed: (error) => this.#stopFor(error),
      },
    )
    this.#sharding = new Sharding(world, job, settings.sharding, {
      inline: (entry) => this.#process(entry),
      done: (entry, unreadable) => this.#done(entry, unreadable),
    })
    this.#lastCommitMs = world.clock.monoMs()
    this.#lastSnapshotMs = world.clock.monoMs()
    const { promise, resolve } = Promise.withResolvers<Error>()
    this.failed = promise
    this.#fail = resolve
  }

  /** From the snapshot to the committed cursor; what becomes due on the way was committed before the crash. */
  async replay(from: Cursor): Promise<void> {
    if (from === this.#committed) return
    // A follower hands out whole pieces; one entry a poll keeps the committed cursor from being overshot.
    for (;;) {
      const entries = this.#follower.poll(1)
      if (entries.length === 0) {
        const { name } = this.#settings
        if (this.#follower.caughtUp()) throw new ReplayError(name, from === this.#log.origin())
        // Of a log that is somewhere else, what comes next is on its way.
        await this.#follower.ready()
      }
      await this.#settings.schemas?.prepare(entries)
      for (const entry of entries) {
        this.#heard(entry)
        this.#process(entry)
        this.#job.take()
        if (entry.after === this.#committed) {
          this.#outputs.take()
          return
        }
      }
      if (this.#bytesSinceSnapshot > stepBytesMax * 4) {
        this.#bytesSinceSnapshot = 0
        await new Promise<void>((resolve) => this.#world.clock.soon(resolve))
      }
    }
  }

  run(): void {
    this.#moved.committed(this.#moved.take())
    this.#ticking.start()
    this.#loop = this.#runLoop()
      .catch((error: unknown) => this.#stopFor(error))
      .finally(async () => {
        this.#letGo()
        this.#settings.switching?.close()
        await this.#sharding.stop()
      })
  }

  caughtUp(): boolean {
    return this.#follower.caughtUp() && !this.#sharding.underWay
  }

  settled(): Promise<void> {
    if (this.#failure !== null) return Promise.reject(this.#failure)
    if (this.#stopping) return this.#loop
    return new Promise((resolve, reject) => {
      this.#settledWaiters.push({ resolve, reject })
      this.#wake()
    })
  }

  async stop(): Promise<void> {
    if (this.#stopping) return this.#loop
    this.#stopping = true
    this.#settings.schemas?.close()
    this.#ticking.stop()
    this.#patience.end()
    this.#wake()
    await this.#loop
    await this.#snapshotting
    await this.#sharding.stop()
    this.#follower.close()
    this.#settings.switching?.close()
  }

  async #runLoop(): Promise<void> {
    while (!this.#stopping) {
      await this.#keeping
      const entries = this.#follower.poll(stepBytesMax)
      for (const entry of entries) this.#heard(entry)
      const before = this.#processed
      if (this.#settings.schemas !== null) {
        await this.#settings.schemas.prepare(entries)
        if (this.#stopping) break
      }
      if (entries.length > 0) await this.#sharding.take(entries)
      else if (this.#sharding.underWay) await this.#sharding.absorb()
      // A state is kept when all of it is here.
      const snapshotDue = this.#committing === null && this.#snapshotDue(this.#world.clock.monoMs())
      if (snapshotDue) await this.#sharding.settle()
      if (this.#processed !== before) this.#collect()
      this.#maybeCommit(snapshotDue)
      await this.#sharding.look()
      if (this.#outputs.pendingBytes > pendingOutputBytesMax && this.#committing !== null) await this.#committing
      if (this.#settings.switching !== null) {
        if (entries.length === 0) this.#tellSettled()
        if (await this.#goTowards(this.#settings.switching)) return
        continue
      }
      if (entries.length > 0 || this.#sharding.underWay) {
        await new Promise<void>((resolve) => this.#world.clock.soon(resolve))
        continue
      }
      this.#tellSettled()
      await this.#somethingHappens()
    }
    if (this.#failure === null) {
      await this.#sharding.settle()
      this.#collect()
    }
    await this.#committing
    // A commit that was not taken has its outputs with it: a later one must not move past them.
    if (this.#failure !== null || this.#patience.trouble !== null) return
    await this.#commit(true)
    await this.#snapshotting
    const { snapshots } = this.#settings
    if (this.#patience.trouble !== null || this.#bytesSinceSnapshot === 0 || snapshots === null) return
    const made = await this.#keep(snapshots)
    if (made !== null) this.#publish(made, this.#committed)
  }

  /** Some of the work for other plans; true once they have been switched to, and this job is over. */
  async #goTowards(switching: Switching): Promise<boolean> {
    // A state that is being read may not change, and its dictionaries are shared.
    await this.#keeping
    const place = switching.step(this.#processed)
    if (place === 'waits') await this.#world.clock.sleep(1)
    if (place !== 'there') {
      await new Promise<void>((resolve) => this.#world.clock.soon(resolve))
      return false
    }
    await this.#committing
    await this.#snapshotting
    this.#collect()
    await this.#commit(false)
    if (this.#patience.trouble !== null || this.#stopping) return false
    const [cursor, { name: job }] = [this.#committed, this.#settings]
    const pieces = await switching.prepare(cursor)
    if (pieces === null) {
      await this.#world.clock.sleep(commitAgainMs)
      return false
    }
    for (const appends of pieces)
      if (!(await this.#patience.commit({ job, epoch: this.epoch, previous: cursor, cursor, appends }))) return false
    this.#stopping = true
    this.#ticking.stop()
    this.#follower.close()
    switching.switched()
    switching.close()
    return true
  }

  #heard(entry: LogEntry): void {
    if (entry.kind !== 'batch') return
    this.#bytesSinceSnapshot += entry.bytes.length
    this.#ticking.heard(entry.topic, entry.partition)
  }
  /** All of an entry's work, here and now. */
  #process(entry: LogEntry): void {
    let unreadable: string | null = null
    if (entry.kind === 'tick') this.#job.tick(decodeTick(entry.payload))
    else
      try {
        this.#pushRecords(entry.topic, entry.partition, entry.baseOffset, entry.bytes)
      } catch (error) {
        if (!(error instanceof WireError)) throw error
        unreadable = error.message
      }
    this.#done(entry, unreadable)
  }
  /** The entry is in the job, by whichever thread. */
  #done(entry: LogEntry, unreadable: string | null): void {
    if (entry.kind === 'batch') this.#moved.done(entry, unreadable === null)
    if (entry.kind === 'batch') this.#outputs.done(entry, unreadable)
    this.#processed = entry.after
  }

  #collect(): void {
    const output = this.#job.take()
    this.#outputs.add(output)
    this.#settings.onOutput(output, { epoch: this.epoch, cursor: this.#processed })
  }

  /** At once when idle, batched under load: one commit is under way at a time and the next takes all that came due. */
  #maybeCommit(snapshotDue: boolean): void {
    if (this.#failure !== null || this.#committing !== null || this.#processed === this.#committed) return
    const now = this.#world.clock.monoMs()
    if (this.#outputs.pendingBytes === 0 && now - this.#lastCommitMs < idleCommitMs && !snapshotDue) return
    this.#committing = this.#commit(snapshotDue).finally(() => {
      this.#committing = null
      this.#wake()
    })
    // The loop meets the rejection when it next awaits; until then it must not count as unhandled.
    this.#committing.catch((error: unknown) => this.#stopFor(error))
  }

  #stopFor(error: unknown): void {
    this.#failure ??= error instanceof Error ? error : new Error(String(error))
    this.#stopping = true
    this.#patience.end()
    this.#ticking.stop()
    this.#fail(this.#failure)
    // A failed tick or snapshot comes while the loop waits: it must end too, or `stop` would wait for it for ever.
    this.#wake()
  }

  #snapshotDue(nowMs: number): boolean {
    return (
      this.#settings.snapshots !== null &&
      this.#snapshotting === null &&
      this.#bytesSinceSnapshot > 0 &&
      (this.#bytesSinceSnapshot >= snapshotEveryBytes || nowMs - this.#lastSnapshotMs >= snapshotEveryMs)
    )
  }

  /** The cut is taken here, before anything is awaited: cursor, outputs and state belong together. */
  async #commit(withSnapshot: boolean): Promise<void> {
    const cursor = this.#processed
    if (cursor === this.#committed) return
    const { name: job, snapshots } = this.#settings
    const commit: Commit = {
      job,
      epoch: this.epoch,
      previous: this.#committed,
      cursor,
      appends: this.#outputs.take(),
      keepsFrom: snapshots?.oldest() ?? null,
    }
    const moved = this.#moved.take()
    const keeping = withSnapshot && snapshots !== null ? this.#keep(snapshots) : null
    const taken = await this.#patience.commit(commit).catch((error: unknown) => {
      // At once: whoever waits for this commit may look before the one who started it hears of it.
      this.#stopFor(error)
      throw error
    })
    if (taken) {
      this.#committed = cursor
      this.#lastCommitMs = this.#world.clock.monoMs()
      this.#last.committedAtMs = this.#world.clock.nowMs()
      this.#moved.committed(moved)
    }
    const made = await keeping
    if (made === null) return
    if (taken) this.#publish(made, cursor)
    else made.abandon()
  }

  /** Reads the state in short steps while the job stands still: sockets and timers get their turn, nothing is copied. */
  async #keep(snapshots: SnapshotStore): Promise<Keeping | null> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#keeping = promise
    this.#bytesSinceSnapshot = 0
    this.#lastSnapshotMs = this.#world.clock.monoMs()
    let made: Keeping | null = null
    try {
      made = snapshots.begin(this.#job.cut())
      while (!made.step()) await new Promise<void>((next) => this.#world.clock.soon(next))
      return made
    } catch (error) {
      // It only shortens a replay: on a full disk the next one is due a little later.
      if (!(error instanceof FsError)) throw error
      made?.abandon()
      if (!isPassing(error)) this.#stopFor(error)
      return null
    } finally {
      this.#keeping = null
      resolve()
    }
  }

  readonly handed: RunningJob['handed'] = (topic, partition) => this.#moved.handed(topic, partition)
  readonly trouble: RunningJob['trouble'] = () => this.#patience.trouble
  load(): JobLoad {
    const { batchBytes, busyMs, shards } = this.#sharding
    return {
      batchBytes,
      busyMs,
      shards,
      queuedBytes: this.#sharding.queuedBytes(),
      pendingOutputBytes: this.#outputs.pendingBytes,
      stateBytes: this.#job.stateBytes(),
      ...this.#last,
    }
  }
  #publish(made: Keeping, cursor: Cursor): void {
    this.#snapshotting = made
      .publish(cursor)
      .then(() => {
        this.#last.snapshotAtMs = this.#world.clock.nowMs()
      })
      .catch((error: unknown) => {
        if (!(error instanceof FsError && isPassing(error))) this.#stopFor(error)
      })
      .finally(() => {
        this.#snapshotting = null
      })
  }

  #tellSettled(): void {
    if (this.#settledWaiters.length === 0 || this.#committing !== null || this.#outputs.pendingBytes > 0) return
    if (this.#follower.caughtUp()) this.#letGo()
  }
  #letGo(): void {
    for (const { resolve, reject } of this.#settledWaiters.splice(0)) {
      if (this.#failure === null) resolve()
      else reject(this.#failure)
    }
  }

  #somethingHappens(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve
      if (this.#stopping) resolve()
      // One wait at a time: a topic that stays silent for days must not gather one for each tick.
      this.#readyWait ??= this.#follower.ready().then(() => {
        this.#readyWait = null
        this.#wake()
      })
    })
  }
}
