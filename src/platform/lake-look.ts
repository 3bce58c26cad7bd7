// The lake for commands: looked at beside whoever is at work on it, or tidied while nobody holds the data directory.
import { openBroker } from '../broker/broker.ts'
import { compact, compactDefaults, type Finding, type LayerTotal, openLake, totals, verify } from '../stores/stores.ts'
import type { World } from '../world/world.ts'
import { lakeFolderOf, lakeMemory, openLakeHouse } from './lake.ts'

export interface LakeLook {
  readonly version: number
  readonly files: number
  totals(): LayerTotal[]
  verify(): Promise<readonly Finding[]>
}

/** Null: there is none. */
export function lakeOf(world: World, dataDir: string): LakeLook | null {
  const folder = lakeFolderOf(dataDir)
  if (world.fs.stat(`${folder}/manifest`) === null) return null
  const open = () => openLake(world, { folder, duckdb: lakeMemory, readOnly: true })
  const lake = open()
  const { version, files } = lake.manifest()
  return {
    version,
    files: files.length,
    totals: () => totals(files),
    async verify() {
      const exists = (path: string): boolean => world.fs.stat(path) !== null
      const findings = await verify(lake, exists)
      await lake.close()
      if (findings.length === 0) return findings
      // What was found may have been replaced meanwhile: once more, by the manifest of now.
      const again = open()
      if (again.manifest().version === version) return findings
      const found = await verify(again, exists)
      await again.close()
      return found
    },
  }
}

export async function compactStopped(
  world: World,
  dataDir: string,
): Promise<{ readonly before: number; readonly after: number }> {
  const broker = await openBroker(world, { dataDir, durability: 'power' })
  const house = openLakeHouse(world, broker, { dataDir, follows: false })
  try {
    return await compact(house.lake(), { ...compactDefaults, filesMin: 2 })
  } finally {
    await house.stop()
    await broker.close()
  }
}
