// Where a running Millrace is to be found: `<data directory>/running.json`, beside the broker's lock.
import { assert } from '../std/assert.ts'
import type { World } from '../world/world.ts'

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
  if (world.fs.stat(`${path}.tmp`) !== null) world.fs.unlink(`${path}.tmp`)
  const file = world.fs.open(`${path}.tmp`, 'create')
  const bytes = new TextEncoder().encode(text)
  try {
    for (let at = 0; at < bytes.length; ) {
      const count = file.write(bytes.subarray(at), at)
      assert(count > 0, `${path} took no more than ${at} of ${bytes.length} bytes`)
      at += count
    }
  } finally {
    file.close()
  }
  world.fs.rename(`${path}.tmp`, path)
  return () => {
    if (world.fs.stat(path) !== null) world.fs.unlink(path)
  }
}

/** The Millrace that holds the data directory, or null when none runs there (what a killed one left behind is not one). */
export async function findRunning(world: World, dataDir: string): Promise<Running | null> {
  const path = runningFile(dataDir)
  const stat = world.fs.stat(path)
  if (stat === null) return null
  const file = world.fs.open(path, 'read')
  const bytes = new Uint8Array(stat.sizeBytes)
  file.read(bytes, 0)
  file.close()
  const { url, kafka, pid, bootId } = JSON.parse(new TextDecoder().decode(bytes)) as Running & { bootId: string }
  return bootId === world.host.bootId && world.host.isAlive(pid) ? { url, kafka, pid } : null
}

function runningFile(dataDir: string): string {
  return `${dataDir}/running.json`
}
