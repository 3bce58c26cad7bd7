// Tests of what doctor finds: each trouble on a world that has it, told with its cure; and a world that is well.
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { nodeWorld } from '../world/node.ts'
import { type Clock, type File, type FileSystem, FsError, NetError, type Network, type World } from '../world/world.ts'
import { type Check, checks } from './doctor-checks.ts'

const folder = mkdtempSync(join(tmpdir(), 'millrace-doctor-'))
after(() => rmSync(folder, { recursive: true }))
const real = nodeWorld()

/** The real world with some of its parts bent, and what all checks say about it. */
async function look(
  bent: { readonly fs?: Partial<FileSystem>; readonly net?: Partial<Network>; readonly clock?: Partial<Clock> },
  dataDir = join(folder, 'data'),
): Promise<(name: string) => Check> {
  const world: World = {
    ...real,
    fs: { ...real.fs, ...bent.fs },
    net: { ...real.net, ...bent.net },
    clock: { ...real.clock, ...bent.clock },
  }
  const found: Check[] = []
  for (const check of checks) found.push(...(await check(world, { dataDir, port: 8080, kafkaPort: 9092 })))
  for (const { name, level, cure } of found) assert.ok(level === 'ok' || cure !== undefined, `${name} names a cure`)
  return (name) => {
    const check = found.find((candidate) => candidate.name === name)
    assert.ok(check, `${name} was looked at`)
    return check
  }
}
/** Disks whose sync takes that long, on a clock that says so. */
function slowDisk(syncMs: number): { readonly fs: Partial<FileSystem>; readonly clock: Partial<Clock> } {
  let monoMs = 0
  return {
    clock: { monoMs: () => monoMs },
    fs: {
      open(path, mode) {
        const file = real.fs.open(path, mode)
        const sync = async (): Promise<void> => {
          monoMs += syncMs
        }
        return new Proxy(file, { get: (target, name) => (name === 'sync' ? sync : bound(target, name)) })
      },
    },
  }
}
function bound(file: File, name: string | symbol): unknown {
  const value: unknown = Reflect.get(file, name)
  return typeof value === 'function' ? value.bind(file) : value
}
const GiB = 1024 ** 3

describe('troubles', () => {
  test('a full disk, a nearly full one', async () => {
    const space = (freeBytes: number) => ({ fs: { space: () => ({ freeBytes, totalBytes: 100 * GiB }) } })
    assert.equal((await look(space(GiB / 8)))('disk space').level, 'bad')
    assert.equal((await look(space(GiB)))('disk space').level, 'warning')
    assert.equal((await look(space(50 * GiB)))('disk space').level, 'ok')
  })
  test('a disk that is slow, one that is too quick to be true, one as it should be', async () => {
    assert.match((await look(slowDisk(40)))('disk sync').cure ?? '', /SSD/)
    assert.match((await look(slowDisk(0.001)))('disk sync').found, /too quick to be a disk/)
    assert.equal((await look(slowDisk(0.5)))('disk sync').level, 'ok')
  })
  test('a disk that may not be written', async () => {
    const refusing: Partial<FileSystem> = {
      open(path) {
        throw new FsError('EROFS', 'open', path)
      },
    }
    const check = (await look({ fs: refusing }))('disk sync')
    assert.equal(check.level, 'bad')
    assert.match(check.found, /EROFS/)
  })
  test('a data directory that is a file', async () => {
    const path = join(folder, 'file')
    writeFileSync(path, '')
    assert.equal((await look({}, path))('data directory').level, 'bad')
  })
  test('ports that are used, or may not be', async () => {
    const refusing = (code: string): Partial<Network> => ({ listen: () => Promise.reject(new NetError(code, code)) })
    const busy = await look({ net: refusing('EADDRINUSE') })
    assert.equal(busy('port 8080').level, 'bad')
    assert.match(busy('port 8080').cure ?? '', /--port/)
    assert.match(busy('port 9092').cure ?? '', /--kafka-port/)
    assert.match((await look({ net: refusing('EACCES') }))('port 8080').cure ?? '', /above 1023/)
  })
  test('a clock that is years behind', async () => {
    assert.equal((await look({ clock: { nowMs: () => Date.UTC(1970, 0, 2) } }))('clock').level, 'bad')
  })
})

test('a world that is well, and nothing is left behind by looking', async () => {
  const free: Partial<Network> = { listen: async () => ({ host: '127.0.0.1', port: 1, close: async () => {} }) }
  const found = await look({ net: free })
  for (const name of ['node', 'data directory', 'port 8080', 'port 9092', 'clock'])
    assert.equal(found(name).level, 'ok', name)
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.includes('doctor')),
    [],
  )
})
