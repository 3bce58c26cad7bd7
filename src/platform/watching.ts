// Watched folders as part of the house, or beside a broker that is somewhere else: their records, their health.
import { contracts } from '../commerce/commerce.ts'
import { type WatchedFolder, watchFolder } from '../connect/watch-folder.ts'
import type { Log } from '../log/log.ts'
import type { Component } from '../serve/ports.ts'
import type { World } from '../world/world.ts'

export interface FolderToWatch {
  /** Absolute: its progress in the log is kept under this name. */
  readonly folder: string
  readonly topic: string
}
export interface Watching {
  readonly folders: readonly (FolderToWatch & { readonly watch: WatchedFolder })[]
  /** Resolves when all that was in the folders is in the log. */
  settled(): Promise<void>
  component(): Component
  readonly failed: Promise<Error>
  stop(): Promise<void>
}

/** Of topics that nobody made and that have no contract. */
const partitionsDefault = 3

export async function startWatching(world: World, log: Log, wanted: readonly FolderToWatch[]): Promise<Watching> {
  const folders: (FolderToWatch & { readonly watch: WatchedFolder })[] = []
  const stop = async (): Promise<void> => {
    for (const { watch } of folders.toReversed()) await watch.stop()
  }
  try {
    for (const { folder, topic } of wanted) {
      const contract = contracts.get(topic) ?? null
      const partitions = contract?.partitions ?? partitionsDefault
      folders.push({ folder, topic, watch: await watchFolder(world, log, { folder, topic, contract, partitions }) })
    }
  } catch (error) {
    await stop()
    throw error
  }
  let failure: Error | null = null
  const failed = Promise.race(folders.map(({ watch }) => watch.failed))
  void failed.then((error) => {
    failure = error
  })
  return {
    folders,
    failed,
    stop,
    async settled() {
      for (const { watch } of folders) await watch.settled()
    },
    component() {
      const trouble = failure ?? folders.map(({ watch }) => watch.trouble()).find((each) => each !== null) ?? null
      const counts = folders.map(({ watch }) => watch.counts())
      const sum = (of: (count: (typeof counts)[number]) => number): number =>
        counts.reduce((total, count) => total + of(count), 0)
      return {
        name: 'files',
        state: failure !== null ? 'down' : trouble !== null ? 'degraded' : 'ok',
        detail:
          trouble?.message ??
          `${sum(({ files }) => files)} files watched, ${sum(({ records }) => records)} records taken in since the start`,
      }
    },
  }
}
