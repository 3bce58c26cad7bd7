// What `millrace doctor` looks at. Each check is on its own: it looks, and says what it found and what would cure it.
import { existsSync } from 'node:fs'
import { availableParallelism, totalmem } from 'node:os'
import { getHeapStatistics } from 'node:v8'
import { FsError, NetError, type World } from '../world/world.ts'
import { formatBytes, formatDuration } from './amounts.ts'

export interface Check {
  readonly name: string
  readonly level: 'ok' | 'warning' | 'bad'
  readonly found: string
  readonly cure?: string
}
export interface CheckSettings {
  readonly dataDir: string
  readonly port: number
  readonly kafkaPort: number
}
type Look = (world: World, settings: CheckSettings) => readonly Check[] | Promise<readonly Check[]>

const MiB = 1024 * 1024
const memoryBytesMin = 512 * MiB
const memoryBytesAdvised = 1024 * MiB
// The broker stops accepting below 256 MiB free; the journal may grow to 1 GiB before it is settled.
const freeBytesMin = 256 * MiB
const freeBytesAdvised = 2048 * MiB
const syncRounds = 20
// A flush that reaches a platter or flash takes tens of microseconds at the very least.
const syncMsPlausible = 0.02
const syncMsSlow = 20

/** In the order in which they are told. */
export const checks: readonly Look[] = [runtime, memory, threads, disk, dataDirectory, ports, clock, screen]

function runtime(): readonly Check[] {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const found = `Node ${process.versions.node} on ${process.platform}-${process.arch}`
  const isNewEnough = major > 24 || (major === 24 && minor >= 12)
  return [
    isNewEnough
      ? { name: 'node', level: 'ok', found }
      : { name: 'node', level: 'bad', found, cure: 'install Node 24.12 or newer (https://nodejs.org)' },
  ]
}

/** The memory this process may have: of the machine, or less in a container. */
function memory(): readonly Check[] {
  const constrained = process.constrainedMemory()
  const bytes = constrained > 0 && constrained < totalmem() ? constrained : totalmem()
  const found = `${formatBytes(bytes)}${bytes < totalmem() ? ' (limit of this container)' : ''}, heap up to ${formatBytes(getHeapStatistics().heap_size_limit)}`
  if (bytes < memoryBytesMin)
    return [{ name: 'memory', level: 'bad', found, cure: `give it at least ${formatBytes(memoryBytesMin)}` }]
  if (bytes < memoryBytesAdvised)
    return [
      { name: 'memory', level: 'warning', found, cure: `${formatBytes(memoryBytesAdvised)} leave room for peaks` },
    ]
  return [{ name: 'memory', level: 'ok', found }]
}

function threads(): readonly Check[] {
  const cores = availableParallelism()
  const found = `${cores} core${cores === 1 ? '' : 's'}`
  return [
    cores >= 2
      ? { name: 'cores', level: 'ok', found }
      : { name: 'cores', level: 'warning', found, cure: 'two let the disk be waited for beside the work' },
  ]
}

/** The folder that is there already, at or above the path. */
function existingAbove(world: World, path: string): string {
  for (let at = path; ; ) {
    if (world.fs.stat(at)?.isFolder) return at
    const cut = at.replace(/\/+$/, '').lastIndexOf('/')
    if (cut <= 0) return cut === 0 ? '/' : '.'
    at = at.slice(0, cut)
  }
}

/** Space, and whether a sync is plausible: a disk that answers at once does not keep what it promises. */
async function disk(world: World, { dataDir }: CheckSettings): Promise<readonly Check[]> {
  const folder = existingAbove(world, dataDir)
  const { freeBytes, totalBytes } = world.fs.space(folder)
  const space = `${formatBytes(freeBytes)} of ${formatBytes(totalBytes)} free at ${folder}`
  const results: Check[] = []
  if (freeBytes < freeBytesMin)
    results.push({
      name: 'disk space',
      level: 'bad',
      found: space,
      cure: 'free some space, or choose another place with --data-dir',
    })
  else if (freeBytes < freeBytesAdvised)
    results.push({
      name: 'disk space',
      level: 'warning',
      found: space,
      cure: `the journal alone may take 1 GiB: ${formatBytes(freeBytesAdvised)} are better`,
    })
  else results.push({ name: 'disk space', level: 'ok', found: space })

  const probe = `${folder}/.millrace-doctor-${world.host.pid}`
  try {
    const times = await timedSyncs(world, probe)
    const median = times[Math.floor(times.length / 2)] ?? 0
    const slowest = times[times.length - 1] ?? 0
    const found = `4 KiB written and synced in ${median.toFixed(2)} ms (median of ${syncRounds}, slowest ${slowest.toFixed(1)} ms)`
    if (median < syncMsPlausible)
      results.push({
        name: 'disk sync',
        level: 'warning',
        found: `${found}: too quick to be a disk`,
        cure: 'a memory file system or a disk that does not flush: a power cut may take what was acknowledged. Put --data-dir on a real disk',
      })
    else if (median > syncMsSlow)
      results.push({
        name: 'disk sync',
        level: 'warning',
        found,
        cure: 'each acknowledgement waits for it: use an SSD, or accept --durability process',
      })
    else results.push({ name: 'disk sync', level: 'ok', found })
  } catch (error) {
    if (!(error instanceof FsError)) throw error
    results.push({
      name: 'disk sync',
      level: 'bad',
      found: `cannot write at ${folder}: ${error.code}`,
      cure: 'change the permissions, or choose another place with --data-dir',
    })
  } finally {
    if (world.fs.stat(probe) !== null) world.fs.unlink(probe)
  }
  return results
}

/** Durations in ms, ascending. The first round, which makes the file, does not count. */
async function timedSyncs(world: World, path: string): Promise<number[]> {
  const file = world.fs.open(path, 'create')
  try {
    const page = new Uint8Array(4096).fill(0x4d)
    const times: number[] = []
    for (let round = 0; round <= syncRounds; round++) {
      for (let at = 0; at < page.length; ) at += file.write(page.subarray(at), round * page.length + at)
      const startedMs = world.clock.monoMs()
      await file.sync()
      if (round > 0) times.push(world.clock.monoMs() - startedMs)
    }
    return times.sort((a, b) => a - b)
  } finally {
    file.close()
  }
}

async function dataDirectory(world: World, { dataDir }: CheckSettings): Promise<readonly Check[]> {
  const name = 'data directory'
  const stat = world.fs.stat(dataDir)
  if (stat === null) return [{ name, level: 'ok', found: `${dataDir} is not there yet: the first start makes it` }]
  if (!stat.isFolder)
    return [{ name, level: 'bad', found: `${dataDir} is a file`, cure: 'name a folder with --data-dir' }]
  const { findRunning } = await import('../platform/running.ts')
  const running = await findRunning(world, dataDir)
  if (running !== null)
    return [
      {
        name,
        level: 'ok',
        found: `${dataDir} is in use by the Millrace with process id ${running.pid}${running.url === null ? '' : ` at ${running.url}`}, broker ${running.kafka}`,
      },
    ]
  return [{ name, level: 'ok', found: `${dataDir}, held by nobody` }]
}

/** A busy port is fine when the Millrace of this data directory uses it. */
async function ports(world: World, settings: CheckSettings): Promise<readonly Check[]> {
  const { findRunning } = await import('../platform/running.ts')
  const running = world.fs.stat(settings.dataDir) === null ? null : await findRunning(world, settings.dataDir)
  const ours = [running?.url, running?.kafka].map((address) => Number(/:(\d+)\/?$/.exec(address ?? '')?.[1] ?? -1))
  const results: Check[] = []
  for (const [flag, port] of [
    ['--port', settings.port],
    ['--kafka-port', settings.kafkaPort],
  ] as const) {
    const name = `port ${port}`
    try {
      const listener = await world.net.listen({ host: '127.0.0.1', port }, (socket) => socket.destroy())
      await listener.close()
      results.push({ name, level: 'ok', found: 'free' })
    } catch (error) {
      if (!(error instanceof NetError)) throw error
      if (ours.includes(port)) results.push({ name, level: 'ok', found: 'used by the Millrace of this data directory' })
      else if (error.code === 'EADDRINUSE')
        results.push({
          name,
          level: 'bad',
          found: 'another program uses it',
          cure: `stop that program, or start with ${flag} and another port (0 picks a free one)`,
        })
      else
        results.push({
          name,
          level: 'bad',
          found: `the system refuses it (${error.code})`,
          cure: `start with ${flag} and a port above 1023`,
        })
    }
  }
  return results
}

/** Wrong by years is what can be told without asking anyone; and wall and monotonic time must pass alike. */
async function clock(world: World): Promise<readonly Check[]> {
  const name = 'clock'
  const now = new Date(world.clock.nowMs())
  const [wallMs, monoMs] = [world.clock.nowMs(), world.clock.monoMs()]
  await world.clock.sleep(50)
  const driftMs = Math.abs(world.clock.nowMs() - wallMs - (world.clock.monoMs() - monoMs))
  const found = `${now.toISOString()} (${Intl.DateTimeFormat().resolvedOptions().timeZone})`
  if (now.getUTCFullYear() < 2025)
    return [{ name, level: 'bad', found, cure: 'set the clock (NTP): new events would be dated into the past' }]
  if (driftMs > 20)
    return [
      {
        name,
        level: 'warning',
        found: `${found}, jumped by ${formatDuration(driftMs)} while looking`,
        cure: 'see whether NTP is still setting it',
      },
    ]
  return [{ name, level: 'ok', found }]
}

function screen(): readonly Check[] {
  const name = 'dashboard'
  const root = new URL('../../', import.meta.url)
  if (existsSync(new URL('dist/screen/index.html', root))) return [{ name, level: 'ok', found: 'built' }]
  if (existsSync(new URL('node_modules/vite/package.json', root)))
    return [{ name, level: 'ok', found: 'not built yet: the first start builds it' }]
  return [
    {
      name,
      level: 'warning',
      found: 'not built, and what builds it is not installed',
      cure: 'npm ci (with development packages), then npm run build',
    },
  ]
}
