// A folder of NDJSON files as a source (plain or .gz): each line once, across restarts. Lines and the progress in their
// files are one commit of the log; files may grow, be moved, rotated, packed and removed.
import { createHash } from 'node:crypto'
import { type Commit, type Log, LogError } from '../log/log.ts'
import type { Contract } from '../query/contract.ts'
import { FsError, type Timer, type World } from '../world/world.ts'
import { ensureTopic } from './connect.ts'
import { openContent } from './files/content.ts'
import { lineOutputs } from './files/line-outputs.ts'
import { LineReader } from './files/lines.ts'
import {
  type FileProgress,
  progressBatch,
  progressPartition,
  progressTopic,
  progressTopicSpec,
  readProgress,
} from './files/progress-topic.ts'
import { deadLetterTopic } from './outputs.ts'

export interface WatchSettings {
  readonly folder: string
  readonly topic: string
  /** Lines are held to it; null: any JSON. */
  readonly contract: Contract | null
  /** Of a topic that is not there yet. */
  readonly partitions: number
  /** The folder is looked at this often. */
  readonly lookEveryMs?: number
  /** A last line without an end is looked at when its file has not changed for so long. */
  readonly quietMs?: number
  /** A file that is gone is forgotten after so long: if it came back then, it would be another. */
  readonly forgetAfterMs?: number
  readonly filesMax?: number
}
export const watchDefaults = {
  lookEveryMs: 500,
  quietMs: 1_000,
  forgetAfterMs: 7 * 24 * 60 * 60 * 1000,
  filesMax: 10_000,
} as const

export interface WatchCounts {
  readonly files: number
  /** Since this start. */
  readonly records: number
  readonly deadLetters: number
}
export interface WatchedFolder {
  /** Resolves when all that was in the folder is in the log; rejects with what `failed` tells. */
  settled(): Promise<void>
  counts(): WatchCounts
  /** Why something waits or is left out at the moment; null: nothing. It goes on by itself. */
  trouble(): Error | null
  /** Resolves with the reason if it can go on no longer. Never rejects. */
  readonly failed: Promise<Error>
  stop(): Promise<void>
}

/** What the files of a folder are called that are taken; rotated ones too: `sales.ndjson`, `sales.ndjson.1.gz`. */
const taken = /\.(ndjson|jsonl)([.-]\d[\d._-]*)?(\.gz)?$/
/** Of lines in one commit, about. */
const commitBytes = 1 << 20
const commitAgainMs = 500

interface Tracked {
  readonly number: number
  progress: FileProgress | null
  /** What it is called now; null: it is gone, or that name is another file's. */
  name: string | null
  /** As it was when its end was last read, or found broken. */
  seen: { readonly sizeBytes: number; readonly modifiedMs: number; readonly wasQuiet: boolean } | null
  reader: LineReader | null
  /** Its last line has no end. */
  isUnfinished: boolean
  goneSinceMs: number | null
  /** Why it is not read at the moment. */
  trouble: Error | null
}
const tracked = (number: number, progress: FileProgress | null, name: string): Tracked => {
  return { number, progress, name, seen: null, reader: null, isUnfinished: false, goneSinceMs: null, trouble: null }
}
/** It was written to just now, and its last line may get its end, or be looked at as it is. */
const mayHaveMore = ({ name, isUnfinished, seen }: Tracked): boolean =>
  name !== null && isUnfinished && seen?.wasQuiet !== true

/** Names the folder's progress in the log. Another folder, or another topic, begins anew. */
export function watchJob(folder: string, topic: string): string {
  const name = `files ${topic} ${folder}`
  if (new TextEncoder().encode(name).length <= jobNameBytesMax) return name
  return `files ${createHash('sha256').update(name).digest('hex')}`
}
const jobNameBytesMax = 249

/** Rejects with an FsError if there is no such folder. */
export async function watchFolder(world: World, log: Log, settings: WatchSettings): Promise<WatchedFolder> {
  const { folder, topic, partitions } = settings
  world.fs.list(folder)
  const made = await ensureTopic(log, { name: topic, partitions })
  await ensureTopic(log, { name: deadLetterTopic(topic), partitions: made })
  await ensureTopic(log, progressTopicSpec)
  const job = watchJob(folder, topic)
  const owner = await log.takeJob(job)
  const progress = await readProgress(log, job)
  const watch = new FolderWatch(world, log, { ...watchDefaults, ...settings }, { job, ...owner }, progress)
  watch.run()
  return watch
}

class FolderWatch implements WatchedFolder {
  readonly failed: Promise<Error>
  readonly #world: World
  readonly #log: Log
  readonly #settings: Required<WatchSettings>
  readonly #owner: Pick<Commit, 'job' | 'epoch' | 'cursor'>
  readonly #files: Tracked[]
  readonly #outputs: ReturnType<typeof lineOutputs>
  readonly #fail: (error: Error) => void
  #failure: Error | null = null
  #nextNumber: number
  #records = 0
  #deadLetters = 0
  #trouble: Error | null = null
  #isStopping = false
  #loop: Promise<void> = Promise.resolve()
  #wake: () => void = () => {}
  #waiting: { readonly resolve: () => void; readonly reject: (error: Error) => void }[] = []

  constructor(
    world: World,
    log: Log,
    settings: Required<WatchSettings>,
    owner: Pick<Commit, 'job' | 'epoch' | 'cursor'>,
    progress: readonly FileProgress[],
  ) {
    this.#world = world
    this.#log = log
    this.#settings = settings
    this.#owner = owner
    this.#files = progress.map((each) => tracked(each.number, each, each.path))
    this.#nextNumber = Math.max(0, ...progress.map(({ number }) => number)) + 1
    this.#outputs = lineOutputs(log, settings.topic, settings.contract, () => world.clock.nowMs())
    const { promise, resolve } = Promise.withResolvers<Error>()
    this.failed = promise
    this.#fail = resolve
  }
  run(): void {
    this.#loop = this.#run().catch((error: unknown) => {
      this.#failure = error instanceof Error ? error : new Error(String(error))
      this.#fail(this.#failure)
      for (const { reject } of this.#waiting.splice(0)) reject(this.#failure)
    })
  }
  async #run(): Promise<void> {
    while (!this.#isStopping) {
      const asked = this.#waiting.splice(0)
      await this.#look()
      for (let isMore = true; isMore && !this.#isStopping; ) isMore = await this.#step()
      const isSettled = !this.#isStopping && !this.#files.some(mayHaveMore)
      if (isSettled) for (const { resolve } of asked) resolve()
      else this.#waiting.push(...asked)
      // Who asked meanwhile is not kept waiting.
      if (!this.#isStopping && (!isSettled || this.#waiting.length === 0)) await this.#pause()
    }
    for (const file of this.#files) this.#let(file)
    for (const { resolve } of this.#waiting.splice(0)) resolve()
  }
  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const timer: Timer = this.#world.clock.timer(this.#settings.lookEveryMs, resolve, { background: true })
      this.#wake = () => {
        timer.cancel()
        resolve()
      }
    })
  }

  // --- Which file is which ---

  async #look(): Promise<void> {
    const { folder, filesMax, forgetAfterMs } = this.#settings
    this.#trouble = null
    const nowMs = this.#world.clock.nowMs()
    let names: string[]
    try {
      names = this.#world.fs.list(folder).filter((name) => taken.test(name))
    } catch (error) {
      // The folder is away (a mount that comes and goes): all its files would seem to be gone.
      if (!(error instanceof FsError)) throw error
      this.#trouble = error
      return
    }
    const there = new Set(names)
    for (const file of this.#files) {
      if (file.name === null || there.has(file.name)) continue
      if (file.reader === null) this.#lose(file, nowMs)
    }
    for (const file of this.#files) if (file.name !== null && file.reader === null) await this.#open(file, nowMs)
    const known = new Set(this.#files.map(({ name }) => name))
    const lost = this.#files.filter((file) => file.name === null && file.progress !== null)
    for (const name of names) {
      if (known.has(name)) continue
      if (this.#files.length - lost.length >= filesMax) {
        this.#trouble = new Error(`${folder} holds more than ${filesMax} files; move those away that are taken in`)
        break
      }
      await this.#meet(name, lost, nowMs)
    }
    const forgotten = this.#files.filter(
      ({ goneSinceMs, progress }) => goneSinceMs !== null && (progress === null || nowMs - goneSinceMs > forgetAfterMs),
    )
    for (const file of forgotten) this.#files.splice(this.#files.indexOf(file), 1)
    const deleted = forgotten
      .filter(({ progress }) => progress !== null)
      .map(({ number }) => ({ number, progress: null }))
    if (deleted.length > 0) await this.#commit([], deleted)
  }
  #lose(file: Tracked, nowMs: number): void {
    this.#let(file)
    file.name = null
    file.isUnfinished = false
    file.seen = null
    file.goneSinceMs ??= nowMs
  }
  #let(file: Tracked): void {
    file.reader?.content.close()
    file.reader = null
  }
  /** Opens a file that has changed, if it is still the one whose beginning was taken. */
  async #open(file: Tracked, nowMs: number): Promise<void> {
    const path = `${this.#settings.folder}/${file.name}`
    const now = this.#stat(path)
    if (now === null) return this.#lose(file, nowMs)
    // What was quiet for long enough is looked at once more, for a last line without an end.
    const isQuiet = nowMs - now.modifiedMs >= this.#settings.quietMs
    const isSame = file.seen?.sizeBytes === now.sizeBytes && file.seen.modifiedMs === now.modifiedMs
    if (isSame && !(file.isUnfinished && isQuiet && file.seen?.wasQuiet === false)) return
    file.seen = { ...now, wasQuiet: isQuiet }
    const content = await this.#contentOf(path, file)
    if (content === 'other') this.#lose(file, nowMs)
    else if (content !== null) file.reader = new LineReader(content, file.progress?.lines ?? 0)
  }
  /** A name that is new: a file that was called otherwise, or a new one. */
  async #meet(name: string, lost: Tracked[], nowMs: number): Promise<void> {
    const path = `${this.#settings.folder}/${name}`
    const now = this.#stat(path)
    if (now === null) return
    // Of two that it may be, it is the one that more was taken of.
    lost.sort((a, b) => (b.progress?.fingerprint.position ?? 0) - (a.progress?.fingerprint.position ?? 0))
    for (const [i, file] of lost.entries()) {
      const content = await this.#contentOf(path, file)
      if (content === null) {
        this.#trouble = file.trouble
        return
      }
      if (content === 'other') continue
      lost.splice(i, 1)
      file.name = name
      file.goneSinceMs = null
      file.seen = { ...now, wasQuiet: nowMs - now.modifiedMs >= this.#settings.quietMs }
      file.reader = new LineReader(content, file.progress?.lines ?? 0)
      return
    }
    const file = tracked(this.#nextNumber++, null, name)
    this.#files.push(file)
    await this.#open(file, nowMs)
  }
  #stat(path: string): { readonly sizeBytes: number; readonly modifiedMs: number } | null {
    const found = this.#world.fs.stat(path)
    return found === null || found.isFolder ? null : found
  }
  /** Null: it cannot be read now, which is told. */
  async #contentOf(path: string, file: Tracked) {
    try {
      file.trouble = null
      return (await openContent(this.#world, path, file.progress?.fingerprint ?? null)) ?? ('other' as const)
    } catch (error) {
      file.trouble = new Error(`${path} cannot be read now: ${reasonOf(error)}`, { cause: error })
      return null
    }
  }

  // --- Lines into the log ---

  /** A portion of each open file in turn, until there is enough for a commit. False: there is nothing more. */
  async #step(): Promise<boolean> {
    const moved = new Map<number, FileProgress>()
    for (const file of this.#files) {
      const { reader, name } = file
      if (reader === null || name === null) continue
      try {
        const portion = await reader.portion(file.seen?.wasQuiet === true)
        this.#outputs.add(name, portion)
        file.isUnfinished = reader.isUnfinished
        if (portion.isEnd) this.#let(file)
      } catch (error) {
        // Packed badly, or not to its end yet: what came so far stands, the rest when the file changes.
        file.trouble = new Error(`${name}: ${reasonOf(error)}`, { cause: error })
        this.#let(file)
      }
      const { fingerprint, lines } = reader.place
      if (fingerprint.position !== (file.progress?.fingerprint.position ?? 0) || file.progress?.path !== name) {
        const progress = { number: file.number, path: name, lines, fingerprint }
        if (fingerprint.position > 0) moved.set(file.number, progress)
        file.progress = fingerprint.position > 0 ? progress : null
      }
      if (this.#outputs.bytes >= commitBytes) break
    }
    // Whose turn it was goes to the end.
    const [first] = this.#files
    if (first !== undefined) this.#files.push(...this.#files.splice(0, 1))
    if (moved.size > 0) {
      const { records, deadLetters } = this.#outputs
      await this.#commit(
        this.#outputs.take(),
        [...moved].map(([number, progress]) => ({ number, progress })),
      )
      this.#records += records
      this.#deadLetters += deadLetters
    }
    return this.#files.some(({ reader }) => reader !== null)
  }
  /** Lines and progress together; again and again while the log does not take them for the time being. */
  async #commit(
    lines: Commit['appends'],
    files: readonly { readonly number: number; readonly progress: FileProgress | null }[],
  ): Promise<void> {
    const batch = progressBatch(this.#owner.job, files, this.#world.clock.nowMs())
    const { job, epoch, cursor } = this.#owner
    const appends = [...lines, { topic: progressTopic, partition: progressPartition, batch }]
    const commit: Commit = { job, epoch, previous: cursor, cursor, appends }
    for (;;) {
      try {
        await this.#log.commit(commit)
        return
      } catch (error) {
        if (!(error instanceof LogError) || !error.isTransient) throw error
        this.#trouble = error
      }
      // What was not taken is taken in at the next start.
      if (this.#isStopping) return
      await this.#world.clock.sleep(commitAgainMs)
    }
  }

  settled(): Promise<void> {
    if (this.#failure !== null) return Promise.reject(this.#failure)
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      this.#wake()
    })
  }
  counts(): WatchCounts {
    const files = this.#files.filter(({ name }) => name !== null).length
    return { files, records: this.#records, deadLetters: this.#deadLetters }
  }
  trouble(): Error | null {
    return this.#trouble ?? this.#files.find(({ name, trouble }) => name !== null && trouble !== null)?.trouble ?? null
  }
  async stop(): Promise<void> {
    this.#isStopping = true
    this.#wake()
    await this.#loop
  }
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
