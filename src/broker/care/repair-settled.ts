// Makes damaged settled files whole again without what was lost: a file that misses entries is written anew, marked so that
// its offsets may have gaps, and the manifest names it instead. Damage of segments that were settled counts no more.
import { assert } from '../../std/assert.ts'
import { maxTimestampMs } from '../../wire/record-batch.ts'
import type { World } from '../../world/world.ts'
import { entryKind } from '../journal/entry.ts'
import { type SettledFile, settledName } from '../settled/file-format.ts'
import { checkFile, FileWalk } from '../settled/file-walk.ts'
import { SettledWriter } from '../settled/file-writer.ts'
import { encodeManifest, type Manifest, manifestReplacement, noDamage } from '../settled/manifest.ts'

export interface SettledLoss {
  readonly topicKey: number
  readonly partition: number
  readonly from: number
  readonly to: number
}
export interface SettledRepairPlan {
  readonly losses: readonly SettledLoss[]
  /** Files to be written anew; those of `missing` are not there at all. */
  readonly files: readonly SettledFile[]
  readonly missing: ReadonlySet<number>
}

const windowBytes = 1 << 20

/** Reads everything and changes nothing. */
export async function planSettledRepair(world: World, folder: string, manifest: Manifest): Promise<SettledRepairPlan> {
  const losses: SettledLoss[] = []
  const files: SettledFile[] = []
  const missing = new Set<number>()
  for (const { files: series } of manifest.partitions) {
    for (const file of series) {
      const lost = (from: number, to: number): void => {
        losses.push({ topicKey: file.topicKey, partition: file.partition, from, to })
        if (files.at(-1) !== file) files.push(file)
      }
      if (world.fs.stat(`${folder}/${settledName(file)}`) === null) {
        missing.add(file.number)
        lost(file.start, file.end)
        continue
      }
      let expected = file.start
      let broken = false
      await eachEntry(
        world,
        folder,
        file,
        ({ entry }) => {
          const isHole = entry.baseOffset > expected && !file.compacted && file.topicKey !== 0
          if (broken || isHole) lost(expected, entry.baseOffset)
          broken = false
          expected = entry.lastOffset + 1
        },
        () => {
          broken = true
        },
      )
      const isShort = expected < file.end && !file.compacted && file.topicKey !== 0
      if (broken || isShort) lost(expected, file.end)
    }
  }
  return { losses, files, missing }
}

async function eachEntry(
  world: World,
  folder: string,
  file: SettledFile,
  visit: (walk: FileWalk, payload: Uint8Array) => void,
  broken: () => void,
): Promise<void> {
  const opened = world.fs.open(`${folder}/${settledName(file)}`, 'read')
  try {
    const step = checkFile(new FileWalk(() => opened, file, windowBytes), visit, broken)
    while (step(windowBytes)) await new Promise<void>((resolve) => world.clock.soon(resolve))
  } finally {
    opened.close()
  }
}

/** The old files are still there afterwards, and named no more. */
export async function repairSettled(
  world: World,
  folder: string,
  journalId: Uint8Array,
  manifest: Manifest,
  plan: SettledRepairPlan,
): Promise<void> {
  let nextFile = manifest.nextFile
  const replaced = new Map<number, SettledFile>()
  for (const file of plan.files) {
    const number = nextFile++
    const salt = world.random.fork('repaired').fork(String(number)).u32()
    const { topicKey, partition, start } = file
    const fresh = { number, salt, topicKey, partition, compacted: true, start }
    const writer = new SettledWriter(world, folder, fresh, journalId)
    if (!plan.missing.has(file.number)) {
      await eachEntry(
        world,
        folder,
        file,
        ({ entry }, payload) => {
          const ownMaxMs = entry.kind === entryKind.batch ? maxTimestampMs(payload) : entry.maxTimestampMs
          writer.put({ ...entry, maxTimestampMs: ownMaxMs }, payload)
          if (writer.bufferedBytes > windowBytes) writer.writeOut()
        },
        () => {},
      )
    }
    const { end, firstLsn, lastLsn, firstAppendedMs, lastAppendedMs } = file
    writer.cover({ end, firstLsn, lastLsn, firstAppendedMs, lastAppendedMs })
    if (file.closed) writer.close()
    writer.writeOut()
    await writer.sync()
    writer.letGo()
    replaced.set(file.number, writer.state())
  }
  await world.fs.syncFolder(folder)
  const next: Manifest = {
    ...manifest,
    number: manifest.number + 1,
    nextFile,
    damage: noDamage,
    partitions: manifest.partitions.map((each) => ({
      ...each,
      files: each.files.map((file) => replaced.get(file.number) ?? file),
    })),
  }
  assert(replaced.size === plan.files.length, 'every damaged file is replaced')
  const replacement = manifestReplacement(world.fs, folder, encodeManifest(next, journalId))
  await replacement.prepare()
  await replacement.commit()
}
