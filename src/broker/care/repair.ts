// Makes a damaged journal whole again without what was lost: each segment that misses entries is written anew, with
// stand-ins where they were (fillers.ts); the damaged file goes to `quarantine/`. Nothing is deleted, and after a crash in
// the middle the same command goes on.
import { assert } from '../../std/assert.ts'
import { crc32c } from '../../std/crc32c.ts'
import { baseOffset, lastOffset } from '../../wire/record-batch.ts'
import type { FileSystem, World } from '../../world/world.ts'
import { takeDataDirectory } from '../data-directory.ts'
import { streamKey } from '../journal/damage.ts'
import { blankEntryHeader, type EntryHeader, entryKind, ownStream } from '../journal/entry.ts'
import { FileWindow } from '../journal/file-bytes.ts'
import { segmentName, temporarySuffix } from '../journal/layout.ts'
import { sealName } from '../journal/seal.ts'
import { arenaBytes, Segment } from '../journal/segment.ts'
import { type FoundSegment, type Survey, surveyJournal, windowBytes, withFile } from '../journal/survey.ts'
import { payloadAt, walkEntries } from '../journal/walk.ts'
import { settledName } from '../settled/file-format.ts'
import { emptyManifest, type Manifest, readManifest } from '../settled/manifest.ts'
import { copyFile } from './copy-file.ts'
import { type Filler, placeFillers, type StreamGap } from './fillers.ts'
import { openOver } from './inspect.ts'
import { overlayFileSystem } from './overlay-files.ts'
import { planSettledRepair, repairSettled } from './repair-settled.ts'

export interface Repair {
  /** False: there was nothing to repair, or it was only looked at. */
  readonly repaired: boolean
  /** Of the journal. */
  readonly lostEntries: number
  /** Offsets that are lost, by partition. */
  readonly lostOffsets: readonly {
    readonly topic: string
    readonly partition: number
    readonly from: number
    readonly to: number
  }[]
  /** Lost entries of the house's own: topics and producers, progress of jobs, offsets of groups … */
  readonly lostOfTheHouse: readonly { readonly what: string; readonly entries: number }[]
  /** Lost entries nobody can tell the owner of; they may have been the last of some partitions. */
  readonly unknownEntries: number
  /** Files that are (or would be) written anew, and where their damaged bytes are kept. */
  readonly files: readonly string[]
  /** There was nothing to repair. */
  readonly isWhole: boolean
  readonly quarantine: string | null
}

/** Entries lost from one place may be many: more than this are not filled in, the directory needs a backup. */
export const fillersMax = 10_000_000

/**
 * Without `acceptLoss` nothing is changed: it tells what would be lost. Rejects with a DataDirectoryError, a JournalError or
 * an FsError.
 */
export async function repairDataDirectory(
  world: World,
  dataDir: string,
  settings: { readonly acceptLoss: boolean },
): Promise<Repair> {
  const before = await openOver(world, dataDir)
  const { topics } = before.inventory()
  await before.close()
  const names = new Map(topics.map(({ key, name }) => [key, name]))
  const fs = settings.acceptLoss ? world.fs : overlayFileSystem(world.fs, () => world.clock.nowMs())
  const working = { ...world, fs }
  const directory = await takeDataDirectory(working, dataDir)
  try {
    const { journalFolder, settledFolder, id } = directory
    const manifest = readManifest(fs, settledFolder, id) ?? emptyManifest
    const survey = surveyJournal(fs, journalFolder, {
      journalId: id,
      checkPayloads: true,
      resumeAtBlocks: true,
      heedWitness: true,
      useSeals: false,
      settledLsn: manifest.settledLsn,
    })
    const plan = planOf(fs, survey, manifest)
    const settledPlan = await planSettledRepair(working, settledFolder, manifest)
    const settledIsDamaged = settledPlan.files.length > 0 || manifest.damage.ranges.length > 0
    const topicName = (key: number): string => names.get(key) ?? `(topic ${key}, its name is lost)`
    const quarantine = `${dataDir}/quarantine/${new Date(world.clock.nowMs()).toISOString().replaceAll(':', '-')}`
    const repair = {
      lostEntries: plan.missing.length,
      lostOffsets: [...settledPlan.losses.map((each) => ({ ...each, offsets: each })), ...plan.gaps].flatMap(
        ({ topicKey, partition, offsets }) =>
          offsets === null ? [] : [{ topic: topicName(topicKey), partition, from: offsets.from, to: offsets.to }],
      ),
      lostOfTheHouse: plan.gaps
        .filter(({ topicKey }) => topicKey === 0)
        .map(({ partition, sequences }) => ({
          what: houseStreams[partition] ?? `stream ${partition}`,
          entries: sequences,
        })),
      unknownEntries: [...plan.fillers.values()].filter((filler) => filler === null).length,
      files: [...plan.parts.map(({ startLsn }) => segmentName(startLsn)), ...settledPlan.files.map(settledName)],
    }
    const isWhole = plan.missing.length === 0 && !settledIsDamaged
    if (isWhole || !settings.acceptLoss) return { repaired: false, ...repair, isWhole, quarantine: null }
    await keepAside(working, dataDir, quarantine, [
      ...plan.parts.flatMap(({ found }) => (found === null ? [] : [found.path])),
      ...survey.segments.filter((found) => found.voidFrom <= found.startLsn).map(({ path }) => path),
      ...settledPlan.files
        .filter(({ number }) => !settledPlan.missing.has(number))
        .map((file) => `${settledFolder}/${settledName(file)}`),
    ])
    if (settledIsDamaged) await repairSettled(working, settledFolder, id, manifest, settledPlan)
    let unknownSequence = plan.unknownSequence
    for (const part of plan.parts)
      unknownSequence = await writeAnew(working, directory, survey, part, plan, unknownSequence)
    // Of those in which nothing can be read, the copies aside are all that is worth keeping.
    for (const { identity, path } of survey.segments) if (identity === null) fs.unlink(path)
    await fs.syncFolder(journalFolder)
    return { repaired: true, ...repair, isWhole, quarantine }
  } finally {
    directory.release()
  }
}

const houseStreams: Readonly<Record<number, string>> = {
  [ownStream.metadata]: 'topics, producers and settings',
  [ownStream.jobs]: 'progress of jobs',
  [ownStream.ticks]: 'decisions of the clocks of jobs',
  [ownStream.witness]: 'witnesses (no loss)',
  [ownStream.groups]: 'offsets of consumer groups',
  [ownStream.transactions]: 'decisions about transactions',
}
/** The stream of stand-ins that belong to no other; far from those of the house. */
const unknownStream = 100

/** A segment to be written, from its start LSN up to the next one's. */
interface Part {
  readonly startLsn: number
  readonly endLsn: number
  /** Null: there is none, or nothing in it can be read. */
  readonly found: FoundSegment | null
}
interface Plan {
  readonly missing: readonly number[]
  readonly gaps: readonly StreamGap[]
  readonly fillers: ReadonlyMap<number, Filler | null>
  readonly parts: readonly Part[]
  readonly unknownSequence: number
  /** What lies in the journal up to here is settled, and counts no more. */
  readonly settledLsn: number
}

/** Every intact entry that counts, in order. */
function eachEntry(
  fs: FileSystem,
  survey: Survey,
  settledLsn: number,
  visit: (header: Readonly<EntryHeader>, payload: () => Uint8Array, found: FoundSegment) => void,
): void {
  const broken = new Set(survey.brokenPayloads.map(({ lsn }) => lsn))
  let last = settledLsn
  for (const found of survey.segments) {
    if (found.voidFrom <= found.startLsn) continue
    withFile(fs, found.path, (file) => {
      const window = new FileWindow(file, found.sizeBytes, windowBytes)
      walkEntries({
        window,
        identity: found.identity,
        payloads: 'unread',
        resume: true,
        visit(header, position) {
          const counts = header.lsn >= found.startLsn && header.lsn < found.voidFrom && header.lsn > last
          if (!counts || header.lsn > survey.lastLsn || broken.has(header.lsn)) return
          last = header.lsn
          const payload = (): Uint8Array => {
            const bytes = payloadAt(window, position, header, false)
            assert(bytes !== null, `the payload of entry ${header.lsn} was there a moment ago`)
            return bytes
          }
          visit(header, payload, found)
        },
      })
    })
  }
}

function planOf(fs: FileSystem, survey: Survey, manifest: Manifest): Plan {
  const missing: number[] = []
  for (const { firstLsn, lastLsn } of survey.damage) {
    assert(missing.length + lastLsn - firstLsn < fillersMax, `${lastLsn - firstLsn + 1} entries are lost in one place`)
    for (let lsn = firstLsn; lsn <= lastLsn; lsn++) missing.push(lsn)
  }
  const gaps: StreamGap[] = []
  const streams = new Map<number, { lsn: number; sequence: number; next: number }>()
  // What is settled is behind: its streams go on here.
  for (const { topicKey, partition, sequence } of manifest.streams) {
    const settled = manifest.partitions.find((each) => each.topicKey === topicKey && each.partition === partition)
    streams.set(streamKey(topicKey, partition), { lsn: manifest.settledLsn, sequence, next: settled?.end ?? 0 })
  }
  let unknownSequence = streams.get(streamKey(0, unknownStream))?.sequence ?? 0
  eachEntry(fs, survey, manifest.settledLsn, (header, payload) => {
    const { topicKey, partition, sequence, lsn, kind } = header
    const key = streamKey(topicKey, partition)
    const before = streams.get(key) ?? { lsn: 0, sequence: 0, next: 0 }
    const batch = kind === entryKind.batch ? payload() : null
    const lostHere = sequence - before.sequence - 1
    if (lostHere > 0) {
      const offsets = batch === null ? null : { from: before.next, to: baseOffset(batch) }
      const firstSequence = before.sequence + 1
      gaps.push({ topicKey, partition, after: before.lsn, before: lsn, firstSequence, sequences: lostHere, offsets })
    }
    streams.set(key, { lsn, sequence, next: batch === null ? before.next : lastOffset(batch) + 1 })
    if (topicKey === 0 && partition === unknownStream) unknownSequence = sequence
  })
  return {
    missing,
    gaps,
    fillers: placeFillers(missing, gaps),
    parts: partsOf(survey),
    unknownSequence,
    settledLsn: manifest.settledLsn,
  }
}

function partsOf(survey: Survey): Part[] {
  const live = survey.segments.filter((found) => found.voidFrom > found.startLsn)
  const starts = live.map(({ startLsn }) => startLsn)
  const first = survey.damage[0]
  const parts: Part[] = []
  const touched = (from: number, to: number): boolean =>
    survey.damage.some(({ firstLsn, lastLsn }) => firstLsn < to && lastLsn >= from)
  if (first !== undefined && first.firstLsn < (starts[0] ?? Number.POSITIVE_INFINITY)) {
    parts.push({ startLsn: first.firstLsn, endLsn: starts[0] ?? survey.lastLsn + 1, found: null })
  }
  for (const [i, found] of live.entries()) {
    const endLsn = starts[i + 1] ?? survey.lastLsn + 1
    if (touched(found.startLsn, endLsn)) parts.push({ startLsn: found.startLsn, endLsn, found })
  }
  return parts
}

/** Copies of all files that will change, durable before any of them does. */
async function keepAside(world: World, dataDir: string, quarantine: string, paths: readonly string[]): Promise<void> {
  const { fs } = world
  for (const folder of [`${dataDir}/quarantine`, quarantine]) if (fs.stat(folder) === null) fs.mkdir(folder)
  for (const path of paths) await copyFile(world, path, `${quarantine}/${path.slice(path.lastIndexOf('/') + 1)}`)
  await fs.syncFolder(quarantine)
  await fs.syncFolder(`${dataDir}/quarantine`)
  await fs.syncFolder(dataDir)
}

/** Returns the last sequence of the stream of unknown entries. */
async function writeAnew(
  world: World,
  directory: { readonly journalFolder: string; readonly id: Uint8Array },
  survey: Survey,
  part: Part,
  plan: Plan,
  unknownSequence: number,
): Promise<number> {
  const { fs } = world
  const { journalFolder: folder, id: journalId } = directory
  const { startLsn, endLsn, found } = part
  // The generation stays: a higher one would make void what follows.
  const generation = found?.identity?.generation ?? Math.max(1, lowestGeneration(survey))
  const header = {
    salt: world.random.fork('repair').fork(String(startLsn)).u32(),
    generation,
    recovered: found?.header?.recovered ?? false,
    startLsn,
    witness: found?.header?.witness ?? 0,
    createdMs: world.clock.nowMs(),
    journalId,
  }
  const path = `${folder}/${segmentName(startLsn)}`
  const temporary = path + temporarySuffix
  if (fs.stat(temporary) !== null) fs.unlink(temporary)
  const segment = new Segment(0, header, temporary, () => new Uint8Array(arenaBytes))
  const file = fs.open(temporary, 'create')
  segment.file = file
  let sequence = unknownSequence
  try {
    segment.begin(header.witness)
    let next = startLsn
    const put = (entry: EntryHeader, payload: Uint8Array, syncedTo: number): void => {
      const from = segment.end
      segment.put(entry, null, payload)
      segment.seal(from, segment.end, syncedTo)
      if (segment.end - segment.written > 1 << 20) flush(segment)
      next = entry.lsn + 1
    }
    const fillUpTo = (lsn: number): void => {
      while (next < lsn) {
        const filler = plan.fillers.get(next)
        assert(filler !== undefined, `entry ${next} is neither there nor missing`)
        if (filler === null) sequence++
        put(headerOf(next, filler, sequence, world.clock.nowMs()), filler?.batch ?? new Uint8Array(0), survey.witness)
      }
    }
    eachEntry(fs, survey, plan.settledLsn, (entry, payload) => {
      if (entry.lsn < startLsn || entry.lsn >= endLsn) return
      fillUpTo(entry.lsn)
      put({ ...entry }, payload(), entry.syncedTo)
    })
    fillUpTo(endLsn)
    segment.writeOut(segment.end)
    await file.sync()
  } finally {
    file.close()
  }
  const seal = `${folder}/${sealName(startLsn)}`
  if (fs.stat(seal) !== null) fs.unlink(seal)
  fs.rename(temporary, path)
  await fs.syncFolder(folder)
  return sequence
}
function flush(segment: Segment): void {
  segment.writeOut(segment.end)
  // The last piece of it is written to again.
  for (let arena = 0; (arena + 1) * arenaBytes <= segment.written; arena++) segment.dropArena(arena, () => {})
}
function lowestGeneration(survey: Survey): number {
  let lowest = survey.generationMax
  for (const { identity } of survey.segments) if (identity !== null) lowest = Math.min(lowest, identity.generation)
  return lowest
}
function headerOf(lsn: number, filler: Filler | null, unknownSequence: number, appendedMs: number): EntryHeader {
  const header = blankEntryHeader()
  header.lsn = lsn
  header.appendedMs = appendedMs
  header.groupCount = 1
  header.kind = filler?.batch == null ? entryKind.witness : entryKind.batch
  header.topicKey = filler?.topicKey ?? 0
  header.partition = filler?.partition ?? unknownStream
  header.sequence = filler?.sequence ?? unknownSequence
  header.payloadBytes = filler?.batch?.length ?? 0
  header.payloadCrc = filler?.batch == null ? crc32c(new Uint8Array(0)) : crc32c(filler.batch, 0, 21)
  return header
}
