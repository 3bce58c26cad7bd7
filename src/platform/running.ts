// Where a running Millrace is to be found: `<data directory>/running.json`, beside the broker's lock.
import type { World } from '../world/world.ts'
import { readText, writeText } from './small-files.ts'

export interface Running {
  /** Null: the broker alone. */
  readonly url: string | null
  readonly kafka: string
  readonly pid: number
}

/** Writes the addresses down; the returned function takes them back. */
export function announce(world: World, dataDir: string | null, where: Pick<Running, 'url' | 'kafka'>): () => void {
  if (dataDir === null) return () => {}
  const path = runningFile(dataDir)
  const text = JSON.stringify({ ...where, pid: world.host.pid, bootId: world.host.bootId })
  writeText(world.fs, path, text)
  return () => {
    if (world.fs.stat(path) !== null) world.fs.unlink(path)
  }
}

/** The Millrace that holds the data directory, or null when none runs there (what a killed one left behind is not one). */
export async function findRunning(world: World, dataDir: string): Promise<Running | null> {
  const path = runningFile(dataDir)
  const text = readText(world.fs, path)
  if (text === null) return null
  const { url, kafka, pid, bootId } = JSON.parse(text) as Running & { bootId: string }
  return bootId === world.host.bootId && world.host.isAlive(pid) ? { url, kafka, pid } : null
}

function runningFile(dataDir: string): string {
  return `${dataDir}/running.json`
}
