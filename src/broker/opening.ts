// The two tiers of a data directory, opened: the manifest of what is settled, then the journal that goes on behind it, and
// the state of the log as both tell it.
import type { World } from '../world/world.ts'
import { type Journal, openJournal } from './journal/journal.ts'
import type { JournalSettings } from './journal/settings.ts'
import { heedDamage, type Replay, replayEntry } from './replay.ts'
import { emptyManifest } from './settled/manifest.ts'
import { keeperInThisThread } from './settled/same-thread.ts'
import { bothDamages, readSettled, Settled, type SettledSettings } from './settled/settled.ts'
import { captureState, restoreState } from './snapshot.ts'

export interface OpenTiers {
  readonly journal: Journal
  readonly settled: Settled
  /** What to tell people of what is lost, or null. */
  readonly damage: string | null
}
export type TierSettings = Pick<SettledSettings, 'keeper' | 'faults' | 'openFilesMax'>

/** Fills the replay's state. Rejects as `openJournal` does. `inMemory`: what ends with the process is never read again. */
export async function openTiers(
  world: World,
  folders: { readonly journalFolder: string; readonly settledFolder: string; readonly inMemory: boolean },
  replay: Replay,
  journalSettings: JournalSettings,
  settledSettings: TierSettings,
): Promise<OpenTiers> {
  const { journalFolder, settledFolder, inMemory } = folders
  const { journalId } = journalSettings
  const { manifest, missing } = inMemory
    ? { manifest: emptyManifest, missing: [] }
    : await readSettled(world.fs, settledFolder, journalId)
  const { settledLsn, streams } = manifest
  const journal = await openJournal(
    world,
    journalFolder,
    { ...journalSettings, settled: { lsn: settledLsn, streams } },
    (entry) => replayEntry(replay, entry),
    inMemory
      ? null
      : {
          capture: (segment) => captureState(replay.state, segment),
          restore: (captured) => restoreState(replay.state, captured, manifest),
        },
  )
  const damage = bothDamages(manifest.damage, journal.damage)
  const settled = new Settled(
    world,
    {
      ...settledSettings,
      folder: settledFolder,
      journalId,
      threads: inMemory ? keeperInThisThread(world) : world.threads,
    },
    manifest,
    damage,
    damage.ranges.length === 0 && missing.length === 0,
  )
  const told = heedDamage(replay, damage)
  if (missing.length === 0) return { journal, settled, damage: told }
  const names = missing.slice(0, 5).map((file) => settled.pathOf(file))
  const more = missing.length > names.length ? ` and ${missing.length - names.length} more` : ''
  const what = `settled files are missing: ${names.join(', ')}${more}. Restore the data directory from a backup.`
  return { journal, settled, damage: told === null ? what : `${told} ${what}` }
}
