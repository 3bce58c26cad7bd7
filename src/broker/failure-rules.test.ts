// What keeps a data directory from being opened, and what passes by itself: each is named, says its cure, changes nothing.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LogError } from '../log/log.ts'
import { crc32c } from '../std/crc32c.ts'
import { type FileSystem, FsError, type World } from '../world/world.ts'
import { batchOf, dataDir, type Machine, machine, p0, readValues } from './broker.suite.ts'
import { openBroker } from './broker.ts'
import { inspectDataDirectory } from './care/inspect.ts'
import { writeU32 } from './journal/big-endian.ts'

const small = { segmentBytes: 3000, cacheBytes: 0 }

async function lived(): Promise<Machine> {
  const here = machine('failure rules')
  const broker = await here.open(small)
  await broker.createTopic({ name: 't', partitions: 1 })
  for (let i = 0; i < 30; i++) await broker.append('t', p0, batchOf([`${i} ${'x'.repeat(200)}`]))
  await broker.close()
  return here
}
function read(fs: FileSystem, path: string): Uint8Array {
  const file = fs.open(path, 'read')
  const bytes = new Uint8Array(file.sizeBytes())
  file.read(bytes, 0)
  file.close()
  return bytes
}
function write(fs: FileSystem, path: string, bytes: Uint8Array): void {
  if (fs.stat(path) !== null) fs.unlink(path)
  const file = fs.open(path, 'create')
  file.write(bytes, 0)
  file.close()
}
/** Every file and its checksum. */
function sums(fs: FileSystem, path = dataDir): string[] {
  return fs.list(path).flatMap((name) => {
    const below = `${path}/${name}`
    return fs.stat(below)!.isFolder ? sums(fs, below) : [`${below} ${crc32c(read(fs, below))}`]
  })
}
function firstOf(fs: FileSystem, folder: string, ending: string): string {
  return `${dataDir}/${folder}/${fs.list(`${dataDir}/${folder}`).find((name) => name.endsWith(ending))}`
}
/** The bytes with their checksum at 4, from byte 8 on, made right again. */
function resealed(bytes: Uint8Array, at: number, end: number): Uint8Array {
  writeU32(bytes, at + 4, crc32c(bytes, at + 8, end))
  return bytes
}

interface Rule {
  readonly name: string
  readonly harm: (fs: FileSystem) => void
  readonly world?: (world: World) => World
  readonly says: RegExp
}
const never = (code: string, operation: string) => (path: string) => {
  throw new FsError(code, operation, path)
}
const rules: readonly Rule[] = [
  {
    name: 'the directory is of a newer format',
    harm: (fs) => {
      const text = new TextDecoder().decode(read(fs, `${dataDir}/format`))
      write(fs, `${dataDir}/format`, new TextEncoder().encode(text.replace('"format":1', '"format":2')))
    },
    says: /says format 2; this Millrace knows format 1/,
  },
  {
    name: 'a segment of the journal is of a newer format',
    harm: (fs) => {
      const path = firstOf(fs, 'journal', '.journal')
      const bytes = read(fs, path)
      bytes[32 + 9] = 2
      write(fs, path, resealed(bytes, 32, 32 + 64))
    },
    says: /is of journal format 2.*Start the newer Millrace/,
  },
  {
    name: 'the manifest of the settled files is of a newer format',
    harm: (fs) => {
      for (const name of ['manifest', 'manifest.copy']) {
        const path = `${dataDir}/settled/${name}`
        const bytes = read(fs, path)
        bytes[9] = 2
        write(fs, path, resealed(bytes, 0, bytes.length))
      }
    },
    says: /format 2.*Start the newer Millrace/,
  },
  {
    name: 'neither manifest can be read',
    harm: (fs) => {
      for (const name of ['manifest', 'manifest.copy']) write(fs, `${dataDir}/settled/${name}`, new Uint8Array(100))
    },
    says: /neither .*manifest nor its copy can be read.*Restore/,
  },
  {
    name: 'a file that is none of ours lies in the journal',
    harm: (fs) => write(fs, `${dataDir}/journal/notes.txt`, new Uint8Array([1])),
    says: /notes\.txt is not a journal segment\. Move it out/,
  },
  {
    name: 'the format file is missing',
    harm: (fs) => fs.unlink(`${dataDir}/format`),
    says: /format is missing, though .* holds a journal/,
  },
  {
    name: 'another process holds it',
    harm: (fs) => {
      const holder = { pid: 77, bootId: 'boot', birth: '77', token: 'x' }
      write(fs, `${dataDir}/lock`, new TextEncoder().encode(JSON.stringify(holder)))
    },
    world: (world) => ({ ...world, host: { ...world.host, isAlive: () => true } }),
    says: /is in use by process 77/,
  },
  {
    name: 'it is mounted read-only',
    harm: () => {},
    world: (world) => {
      const { fs } = world
      const readOnly: FileSystem = {
        ...fs,
        open: (path, mode) => (mode === 'read' ? fs.open(path, mode) : never('EROFS', 'open')(path)),
        mkdir: never('EROFS', 'mkdir'),
        rename: never('EROFS', 'rename'),
        link: never('EROFS', 'link'),
        unlink: never('EROFS', 'unlink'),
        removeTree: never('EROFS', 'removeTree'),
      }
      return { ...world, fs: readOnly }
    },
    says: /EROFS: open .*lock/,
  },
]

for (const { name, harm, world, says } of rules) {
  test(`refused, nothing changed: ${name}`, async () => {
    const here = await lived()
    harm(here.fs)
    const before = sums(here.fs)
    const life = here.life()
    const looking = world === undefined ? life : world(life)
    await assert.rejects(
      openBroker(looking, { dataDir, durability: 'power', freeBytesMin: 0, ...small }),
      (error: unknown) => error instanceof Error && says.test(error.message),
    )
    // The number of the start is drawn before the log is looked at.
    const logged = (all: readonly string[]): string[] => all.filter((line) => !line.startsWith(`${dataDir}/epoch `))
    assert.deepEqual(logged(sums(here.fs)), logged(before))
    const found = await inspectDataDirectory(looking, dataDir)
    if (name.includes('read-only')) assert.equal(found.problem, null, 'it can be looked at all the same')
    else assert.match(found.problem?.message ?? '', says)
  })
}

test('too many open files: appends are refused for the time being, reads of open files go on, and then all goes on', async () => {
  const here = machine('too many files')
  const life = here.life()
  let none = false
  const fs: FileSystem = {
    ...life.fs,
    open: (path, mode) => (none && path.includes('journal') ? never('EMFILE', 'open')(path) : life.fs.open(path, mode)),
  }
  const broker = await openBroker(
    { ...life, fs },
    { dataDir, durability: 'power', freeBytesMin: 0, segmentBytes: 3000, retention: { settles: false } },
  )
  await broker.createTopic({ name: 't', partitions: 1 })
  let taken = 0
  none = true
  const refused: LogError[] = []
  for (let i = 0; i < 30; i++) {
    await broker.append('t', p0, batchOf(['x'.repeat(200)])).then(
      () => taken++,
      (error: unknown) => refused.push(error as LogError),
    )
  }
  assert.ok(taken > 0 && refused.length > 0)
  assert.ok(refused.every((error) => error.isTransient && /too many files.*ulimit -n/.test(error.message)))
  assert.ok(broker.isPaused())
  assert.equal((await readValues(broker, 't')).length, taken)
  none = false
  for (let i = 0; i < 30; i++, taken++) await broker.append('t', p0, batchOf(['y'.repeat(200)]))
  assert.equal(broker.trouble(), null)
  assert.equal((await readValues(broker, 't')).length, taken)
  await broker.close()
  const again = await here.open()
  assert.equal((await readValues(again, 't')).length, taken)
  await again.close()
})
