// The lake of the house: fed from the log while it runs, kept tidy, asked by reports, SQL and reconciliation.
import { contracts } from '../commerce/commerce.ts'
import { type LakeFeed, lakeFeedDefaults, startLakeFeed } from '../connect/lake-feed.ts'
import type { Log } from '../log/log.ts'
import type { LakePort } from '../serve/lake-ports.ts'
import type { Component } from '../serve/ports.ts'
import {
  compact,
  compactDefaults,
  expire,
  keepAll,
  type Lake,
  type LakeTable,
  type Layer,
  openLake,
  type Retention,
  totals,
} from '../stores/stores.ts'
import type { World } from '../world/world.ts'
import { lakeTopicOf } from './lake-topics.ts'

export interface LakeHouseSettings {
  /** Where the lake is; null: in a folder of its own that goes with the process. */
  readonly dataDir: string | null
  /** False: only what asks for it (a report) brings the log into the lake. */
  readonly follows: boolean
  readonly retention?: Retention
}
export interface LakeHouse {
  /** Opens it on first use. */
  lake(): Lake
  feed(): LakeFeed
  component(): Component
  stop(): Promise<void>
}

const mebibyte = 1 << 20
export const lakeMemory = {
  memoryBytesMax: 256 * mebibyte,
  spillBytesMax: 8192 * mebibyte,
  idleMsMax: 20_000,
} as const

export const lakeFolderOf = (dataDir: string): string => `${dataDir}/lake`

/** A table of the lake with what is known of its columns. */
export function lakeTable(layer: Layer, topic: string): LakeTable {
  const contract = layer === 'bronze' ? null : (contracts.get(topic) ?? lakeTopicOf(topic)?.typed?.contract ?? null)
  return { layer, topic, contract }
}

export function openLakeHouse(world: World, log: Log, settings: LakeHouseSettings): LakeHouse {
  const { retention = keepAll } = settings
  const passing = settings.dataDir === null
  const folder = lakeFolderOf(settings.dataDir ?? `${world.host.env('TMPDIR') ?? '/tmp'}/millrace-${world.host.pid}`)
  let opened: { readonly lake: Lake; readonly feed: LakeFeed } | null = null
  const open = (): { readonly lake: Lake; readonly feed: LakeFeed } => {
    if (opened !== null) return opened
    const lake = openLake(world, { folder, duckdb: lakeMemory })
    const feed = startLakeFeed(world, log, lake, {
      ...lakeFeedDefaults,
      lookMs: settings.follows ? lakeFeedDefaults.lookMs : 0,
      topicOf: lakeTopicOf,
      tidy: async ({ topic }) => {
        await compact(lake, compactDefaults, topic)
        await expire(lake, world.clock.nowMs(), retention)
      },
    })
    opened = { lake, feed }
    return opened
  }
  if (settings.follows) open()
  return {
    lake: () => open().lake,
    feed: () => open().feed,
    component() {
      if (!settings.follows) return { name: 'lake', state: 'off', detail: 'written when something asks for it' }
      const { feed, lake } = open()
      const trouble = feed.trouble()
      const { records } = feed.lag()
      const { files, version } = lake.manifest()
      return trouble === null
        ? { name: 'lake', state: 'ok', detail: `${files.length} files, version ${version}, ${records} records behind` }
        : { name: 'lake', state: 'degraded', detail: trouble.message }
    },
    async stop() {
      if (opened === null) return
      await opened.feed.stop()
      await opened.lake.close()
      if (passing) world.fs.removeTree(folder.slice(0, folder.lastIndexOf('/')))
    },
  }
}

export function lakePort(house: LakeHouse): LakePort {
  return {
    status: () => ({
      version: house.lake().manifest().version,
      recordsBehind: house.feed().lag().records,
      layers: totals(house.lake().manifest().files),
    }),
    compact: () => compact(house.lake(), { ...compactDefaults, filesMin: 2 }),
  }
}
