// The first look at a journal's folder after a start: which entries are there, which are missing, and what that means.
//
// LSNs are dense. The *witness* is the highest LSN that any undamaged header (of entry or segment) says was durable.
//   missing at or below the witness   -> damage: it was durable and is not there any more. Nothing is cut or deleted.
//   the first one missing above it    -> a torn tail: the log is cut there, an incomplete group whole.
// Nothing is changed here.
import type { File, FileSystem } from '../../world/world.ts'
import { FileWindow } from './file-bytes.ts'
import { JournalError } from './journal-error.ts'
import { fileBytesOf, type SegmentHeader, type SegmentIdentity, startLsnOfName, temporarySuffix } from './layout.ts'
import { readSeal, type Seal, sealName, startLsnOfSeal } from './seal.ts'
import { learnIdentity, segmentHeaderOf, walkEntries } from './walk.ts'

/** Bytes of a file held in memory while walking through it. */
export const windowBytes = 1 << 20

export interface FoundSegment {
  readonly path: string
  readonly startLsn: number
  /** Null: broken, or never written. */
  readonly header: SegmentHeader | null
  /** From the header, or learnt from the first block or entry that can be read; null: nothing can. */
  readonly identity: SegmentIdentity | null
  readonly sizeBytes: number
  /** The first LSN that a later-generation segment took over; entries from there on are void. */
  voidFrom: number
  /** Position after the last intact entry, void ones included. */
  end: number
  /** Its last entry ends the file, and everything before is whole. */
  clean: boolean
  /** Fits the segment: it and all before it are known without a walk. */
  seal: Seal | null
}

/** A stretch of LSNs that were durable and are not there. */
export interface MissingRange {
  readonly firstLsn: number
  readonly lastLsn: number
  /** The file and the position in it after which the first is missed. */
  readonly path: string
  /** The entry the log goes on with; null: nothing follows. */
  readonly next: { readonly path: string; readonly position: number } | null
}
/** An entry whose header is good and whose payload is not: it is known whose it was. */
export interface BrokenPayload {
  readonly lsn: number
  readonly path: string
  readonly position: number
  readonly topicKey: number
  readonly partition: number
  readonly sequence: number
}

export interface Survey {
  /** By start LSN, void and broken ones included. */
  readonly segments: readonly FoundSegment[]
  readonly witness: number
  /** The last LSN of the log: after it, it was cut or it ends. */
  readonly lastLsn: number
  readonly damage: readonly MissingRange[]
  readonly brokenPayloads: readonly BrokenPayload[]
  /** No torn tail, no broken or void segment, all witnessed: appending may go on in the last file. */
  readonly clean: boolean
  readonly generationMax: number
  /** Left over from a recovery that did not finish. */
  readonly temporaries: readonly string[]
  /** Segments that are settled, and that something kept from being removed. */
  readonly leftOver: readonly string[]
}

export interface SurveySettings {
  /** 16 bytes; a segment of another journal is refused. */
  readonly journalId: Uint8Array
  readonly checkPayloads: boolean
  readonly resumeAtBlocks: boolean
  readonly heedWitness: boolean
  /** Take seals for the walk through their segments. */
  readonly useSeals: boolean
  /** Everything up to here is settled: the journal goes on behind it. */
  readonly settledLsn: number
}

interface Missed {
  readonly first: number
  last: number
  readonly path: string
  readonly next: { readonly path: string; readonly position: number } | null
  /** First LSN of the atomic group that the entry before `first` belongs to, if that group should go on at `first`. */
  readonly groupFirst: number | null
}

export function surveyJournal(fs: FileSystem, folder: string, settings: SurveySettings): Survey {
  const { settledLsn } = settings
  const found = findSegments(fs, folder, settings.journalId)
  const { temporaries } = found
  const isSettled = found.segments.map((_, i) => {
    const next = found.segments[i + 1]
    return next !== undefined && next.startLsn <= settledLsn + 1
  })
  const segments = found.segments.filter((_, i) => isSettled[i] !== true)
  const leftOver = found.segments.filter((_, i) => isSettled[i] === true)
  markVoid(segments)
  if (settings.useSeals) findSeals(fs, folder, segments, settledLsn)
  const missed: Missed[] = []
  const brokenPayloads: BrokenPayload[] = []
  let witness = settledLsn
  let generationMax = Math.max(0, ...leftOver.map(({ identity }) => identity?.generation ?? 0))
  let expected = settledLsn + 1
  let openGroupFirst: number | null = null
  let lastPath = folder
  let fine = temporaries.length === 0

  for (const segment of segments) {
    generationMax = Math.max(generationMax, segment.identity?.generation ?? 0)
    if (segment.header !== null) witness = Math.max(witness, segment.header.witness)
    if (segment.header === null || segment.voidFrom <= segment.startLsn) fine = false
    if (segment.voidFrom <= segment.startLsn) continue
    if (segment.seal !== null) {
      // A seal is written when the segment was durable.
      witness = Math.max(witness, segment.seal.lastLsn)
      expected = segment.seal.lastLsn + 1
      segment.end = segment.seal.end
      segment.clean = true
      continue
    }
    const from = segment.startLsn
    const miss = (upTo: number, next: Missed['next']): void => {
      missed.push({ first: expected, last: upTo, path: lastPath, next, groupFirst: openGroupFirst })
      expected = upTo + 1
      openGroupFirst = null
    }
    withFile(fs, segment.path, (file) => {
      const walked = walkEntries({
        window: new FileWindow(file, segment.sizeBytes, windowBytes),
        identity: segment.identity,
        payloads: settings.checkPayloads ? 'checked' : 'present',
        resume: settings.resumeAtBlocks,
        visit(header, position, intact) {
          if (header.lsn < from || header.lsn >= segment.voidFrom) return
          witness = Math.max(witness, header.syncedTo)
          if (!intact) {
            const { lsn, topicKey, partition, sequence } = header
            brokenPayloads.push({ lsn, path: segment.path, position, topicKey, partition, sequence })
            return
          }
          if (header.lsn < expected) return
          if (header.lsn > expected) miss(header.lsn - 1, { path: segment.path, position })
          expected = header.lsn + 1
          openGroupFirst = header.groupIndex + 1 < header.groupCount ? header.lsn - header.groupIndex : null
          lastPath = segment.path
        },
      })
      segment.end = walked.end
      segment.clean = walked.unbroken && fileBytesOf(walked.end) === segment.sizeBytes
    })
  }

  if (!settings.heedWitness) witness = settledLsn
  const last = segments.at(-1)
  const intactEnd = expected - 1
  if (witness > intactEnd) {
    missed.push({ first: expected, last: witness, path: lastPath, next: null, groupFirst: openGroupFirst })
  }
  const { damage, lastLsn, torn } = judge(missed, witness, intactEnd, openGroupFirst)
  const wholeTail = last?.clean === true && damage.at(-1)?.next !== null
  // A segment that a roll began and nobody wrote to may not be durable itself: only a recovered one was synced whole.
  const clean = fine && !torn && wholeTail && witness === lastLsn && last?.header?.recovered === true
  const paths = leftOver.map(({ path }) => path)
  return { segments, witness, lastLsn, damage, brokenPayloads, clean, generationMax, temporaries, leftOver: paths }
}

/** Divides what is missing into damage and the torn tail. */
function judge(
  missed: readonly Missed[],
  witness: number,
  intactEnd: number,
  openGroupFirst: number | null,
): { damage: MissingRange[]; lastLsn: number; torn: boolean } {
  const damage: MissingRange[] = []
  // A group is cut whole, but never below what was durable.
  const cut = (at: number, groupFirst: number | null): number =>
    groupFirst === null ? at : Math.max(groupFirst, witness + 1)
  for (const range of missed) {
    if (range.first > witness) return { damage, lastLsn: cut(range.first, range.groupFirst) - 1, torn: true }
    const { path, next } = range
    if (range.last > witness) {
      damage.push({ firstLsn: range.first, lastLsn: witness, path, next: null })
      return { damage, lastLsn: witness, torn: true }
    }
    damage.push({ firstLsn: range.first, lastLsn: range.last, path, next })
  }
  const end = Math.max(witness, intactEnd)
  if (end === intactEnd && openGroupFirst !== null) {
    const lastLsn = cut(intactEnd + 1, openGroupFirst) - 1
    return { damage, lastLsn, torn: lastLsn < intactEnd }
  }
  return { damage, lastLsn: end, torn: false }
}

function findSegments(
  fs: FileSystem,
  folder: string,
  journalId: Uint8Array,
): { segments: FoundSegment[]; temporaries: string[] } {
  const segments: FoundSegment[] = []
  const temporaries: string[] = []
  for (const name of fs.list(folder)) {
    const path = `${folder}/${name}`
    const unfinished = name.endsWith(temporarySuffix) ? name.slice(0, -temporarySuffix.length) : null
    if (unfinished !== null && (startLsnOfName(unfinished) !== null || startLsnOfSeal(unfinished) !== null)) {
      temporaries.push(path)
      continue
    }
    if (startLsnOfSeal(name) !== null) continue
    const startLsn = startLsnOfName(name)
    if (startLsn === null) {
      throw new JournalError(
        'UNKNOWN_FILE',
        `${path} is not a journal segment. Move it out of this folder; nothing was changed.`,
      )
    }
    const { header, identity, sizeBytes } = withFile(fs, path, (file) => {
      const size = file.sizeBytes()
      const window = new FileWindow(file, size, 4096)
      const found = segmentHeaderOf(window)
      return { header: found, identity: found ?? learnIdentity(window), sizeBytes: size }
    })
    if (header !== null && (header.startLsn !== startLsn || !sameBytes(header.journalId, journalId))) {
      throw new JournalError(
        'UNKNOWN_FILE',
        `${path} belongs to another journal or has been renamed (its header says it starts at LSN ${header.startLsn}). ` +
          'Move it out of this folder; nothing was changed.',
      )
    }
    segments.push({
      path,
      startLsn,
      header,
      identity,
      sizeBytes,
      voidFrom: Number.POSITIVE_INFINITY,
      end: 0,
      clean: false,
      seal: null,
    })
  }
  return { segments, temporaries }
}

function markVoid(segments: FoundSegment[]): void {
  for (const segment of segments) {
    // Nothing in it can be read: it holds no entry and takes none over.
    if (segment.identity === null) segment.voidFrom = segment.startLsn
    for (const other of segments) {
      if (segment.identity === null || other.identity === null) continue
      if (other.identity.generation <= segment.identity.generation) continue
      segment.voidFrom = Math.min(segment.voidFrom, Math.max(other.startLsn, segment.startLsn))
    }
  }
}
/** From the first segment on, as long as each has a seal that fits it and leads to the next one. */
function findSeals(fs: FileSystem, folder: string, segments: readonly FoundSegment[], settledLsn: number): void {
  const live = segments.filter((segment) => segment.voidFrom > segment.startLsn)
  let expected = settledLsn + 1
  for (const [i, segment] of live.entries()) {
    const next = live[i + 1]
    const path = `${folder}/${sealName(segment.startLsn)}`
    // The last segment is always walked through: it is the one that may have a torn tail.
    if (next === undefined || segment.header === null || segment.startLsn !== expected) return
    const seal = fs.stat(path) === null ? null : readSeal(fs, path)
    if (seal === null || seal.salt !== segment.header.salt || seal.generation !== segment.header.generation) return
    if (seal.startLsn !== expected || seal.lastLsn + 1 !== next.startLsn) return
    if (fileBytesOf(seal.end) > segment.sizeBytes) return
    segment.seal = seal
    expected = next.startLsn
  }
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}

export function withFile<T>(fs: FileSystem, path: string, use: (file: File) => T): T {
  const file = fs.open(path, 'read')
  try {
    return use(file)
  } finally {
    file.close()
  }
}
