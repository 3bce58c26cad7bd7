// The mutant gate of settling: each known mistake, and a stretch of crash points that must catch it. A check that lets one
// of them pass proves nothing about the correct keeper.
import type { SettledFaults } from '../../src/broker/settled/keeping.ts'
import { crashAt, operationsLike, settledCrashes, settledFailures } from './crash-points.ts'

export interface SettledMutant {
  readonly name: string
  readonly faults: SettledFaults
  /** It shows at these operations and the next few, and hardly elsewhere. */
  readonly at?: RegExp
}
export const settledMutants: readonly SettledMutant[] = [
  { name: 'files are never synced', faults: { noFileSync: true } },
  { name: 'the manifest before the sync of the files', faults: { manifestBeforeFileSync: true } },
  {
    name: 'no sync of the folder after new files',
    faults: { noFolderSyncBeforeManifest: true },
    at: /rename .*manifest$/,
  },
  { name: 'no sync of the folder after the manifest', faults: { noFolderSyncAfterManifest: true } },
  { name: 'the manifest is written over', faults: { manifestInPlace: true } },
  { name: 'settling goes on at the end of the file', faults: { settleFromFileEnd: true } },
  { name: 'the segment is dropped before the manifest', faults: { dropBeforeManifest: true } },
  { name: 'files are unlinked before the manifest', faults: { unlinkBeforeManifest: true } },
]

/** What caught it; null: nothing did. Scripts are tried in turn, crash points of each before the next. */
export async function catchSettledMutant({ faults, at }: SettledMutant, scripts: number): Promise<string | null> {
  for (let script = 0; script < scripts; script++) {
    const settings = { script: `mutant ${script}`, faults }
    try {
      if (at !== undefined) {
        for (const point of await operationsLike(at, settings)) {
          for (let next = 1; next <= 3; next++) await crashAt(point + next, 12, settings)
        }
        continue
      }
      await settledCrashes(30 + script, 17, 3, settings)
      await settledFailures(30 + script, 41, settings)
    } catch (error) {
      return error instanceof Error ? error.message : String(error)
    }
  }
  return null
}
