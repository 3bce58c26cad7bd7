// The mutant gate: each mistake a journal could make, made on purpose, must be caught by the very checks that the right
// journal passes. What is not caught is not checked.
import type { JournalFaults } from '../../src/broker/journal/settings.ts'
import { Violation } from './oracle.ts'
import { blankRotMet, runRotSeed } from './rotting.ts'
import { runSeed } from './seeds.ts'

export interface Mutant {
  readonly name: string
  readonly faults: JournalFaults
  /** Which check must catch it: lives and crashes, or bytes that rot. */
  readonly by: 'crashes' | 'rot'
  /** What the check says when it is caught for the right reason. */
  readonly caught: RegExp
  /** Seeds known to catch rare ones, tried first: a change of the journal may move them. */
  readonly knownSeeds: readonly number[]
}

const gone = /is lost|taken for damage/
export const mutants: readonly Mutant[] = [
  { name: 'no fsync', faults: { noSync: true }, by: 'crashes', caught: gone, knownSeeds: [] },
  { name: 'ack before fsync', faults: { ackBeforeSync: true }, by: 'crashes', caught: gone, knownSeeds: [] },
  { name: 'no CRC', faults: { noPayloadCheck: true }, by: 'crashes', caught: /other bytes/, knownSeeds: [368] },
  { name: 'no CRC, rot', faults: { noPayloadCheck: true }, by: 'rot', caught: /wrong bytes/, knownSeeds: [] },
  {
    name: 'no directory fsync on roll',
    faults: { noFolderSyncOnRoll: true },
    by: 'crashes',
    caught: gone,
    knownSeeds: [],
  },
  {
    name: 'fsync retried after EIO',
    faults: { retrySyncAfterError: true },
    by: 'crashes',
    caught: gone,
    knownSeeds: [20],
  },
  {
    name: 'no truncate after a short write',
    faults: { noTruncateAfterFailedWrite: true },
    by: 'crashes',
    caught: /other bytes|never given|is lost|is torn/,
    knownSeeds: [11, 39],
  },
  { name: 'no fsync in recovery', faults: { noSyncInRecovery: true }, by: 'crashes', caught: gone, knownSeeds: [] },
  {
    name: 'no directory fsync in recovery',
    faults: { noFolderSyncInRecovery: true },
    by: 'crashes',
    caught: gone,
    knownSeeds: [],
  },
  {
    name: 'fsync again instead of a rewrite',
    faults: { resyncInsteadOfCopy: true },
    by: 'crashes',
    caught: gone,
    knownSeeds: [39],
  },
  {
    name: 'no resumption at block boundaries',
    faults: { noResumeAtBlocks: true },
    by: 'rot',
    caught: /far from the rot|not named/,
    knownSeeds: [175],
  },
  { name: 'no syncedTo', faults: { noWitness: true }, by: 'rot', caught: /not named/, knownSeeds: [] },
  { name: 'a group split in two', faults: { splitGroups: true }, by: 'crashes', caught: /is torn/, knownSeeds: [46] },
]

/** Tries seeds until the mutant is caught for the right reason: the seed, or null when `seedsMax` were not enough. */
export async function catchMutant(mutant: Mutant, seedsMax: number): Promise<{ seed: number; tried: number } | null> {
  const seeds = [...mutant.knownSeeds, ...Array.from({ length: seedsMax }, (_, seed) => seed)]
  for (const [i, seed] of seeds.entries()) {
    try {
      if (mutant.by === 'rot') await runRotSeed(String(seed), mutant.faults, blankRotMet())
      // Of a split group the format alone would tell: what must be caught is that a crash tears it.
      else await runSeed(String(seed), { faults: mutant.faults, checkShapes: mutant.faults.splitGroups !== true })
    } catch (error) {
      if (error instanceof Violation && mutant.caught.test(error.message)) return { seed, tried: i + 1 }
    }
  }
  return null
}
