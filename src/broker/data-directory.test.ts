// Who may open a data directory, and what is said to those who may not.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dataDir, machine } from './broker.suite.ts'
import { DataDirectoryError, takeDataDirectory } from './data-directory.ts'

const code = (expected: string) => (error: unknown) => error instanceof DataDirectoryError && error.code === expected

test('one process at a time; a lock of a dead process, of another boot, or of broken text is stale', async () => {
  const here = machine()
  const world = here.life()
  const held = await takeDataDirectory(world, dataDir)
  await assert.rejects(takeDataDirectory(world, dataDir), code('DATA_DIRECTORY_IN_USE'), 'the same process again')
  const other = { ...world, host: { ...world.host, pid: 5, isAlive: () => true } }
  await assert.rejects(takeDataDirectory(other, dataDir), (error) => {
    assert.ok(error instanceof DataDirectoryError)
    assert.match(error.message, new RegExp(`${dataDir} is in use by process ${world.host.pid}`))
    assert.match(error.cure, /stop it|--data-dir/)
    return true
  })
  held.release()
  held.release()
  const again = await takeDataDirectory(world, dataDir)
  assert.equal(again.clusterId, held.clusterId)
  // Dead without releasing:
  const next = await takeDataDirectory(here.life(), dataDir)
  const rebooted = { ...other, host: { ...other.host, bootId: 'another' } }
  const third = await takeDataDirectory(rebooted, dataDir)
  next.release()
  await assert.rejects(
    takeDataDirectory({ ...rebooted, host: { ...rebooted.host, pid: 6 } }, dataDir),
    code('DATA_DIRECTORY_IN_USE'),
    'a late release of the one before does not free it',
  )
  third.release()
  const broken = here.fs.open(`${dataDir}/lock`, 'create')
  broken.write(new TextEncoder().encode('{"pid":'), 0)
  broken.close()
  const fourth = await takeDataDirectory(other, dataDir)
  fourth.release()
  assert.deepEqual(here.fs.list(dataDir), ['epoch', 'format', 'journal', 'settled'])
})

test('a lock of a process whose id came back to another one is stale', async () => {
  const here = machine()
  const first = here.life()
  await takeDataDirectory(first, dataDir)
  const world = here.life()
  const other = (birth: string) => ({
    ...world,
    host: { ...world.host, pid: 5, isAlive: () => true, birthOf: () => birth },
  })
  await assert.rejects(takeDataDirectory(other(String(first.host.pid)), dataDir), code('DATA_DIRECTORY_IN_USE'))
  const taken = await takeDataDirectory(other('born later'), dataDir)
  taken.release()
})

test('folders are made as needed; a newer or broken format is refused and left as it is', async () => {
  const here = machine()
  const deep = await takeDataDirectory(here.life(), '/a/b/c')
  deep.release()
  const write = (text: string): void => {
    here.fs.unlink('/a/b/c/format')
    const file = here.fs.open('/a/b/c/format', 'create')
    file.write(new TextEncoder().encode(text), 0)
    file.close()
  }
  write('{"millrace":"data directory","format":2,"clusterId":"x"}')
  await assert.rejects(takeDataDirectory(here.life(), '/a/b/c'), code('NEWER_FORMAT'))
  for (const text of ['', '{}', '{"format":1,"clusterId":"short"}', '[1]']) {
    write(text)
    await assert.rejects(takeDataDirectory(here.life(), '/a/b/c'), code('BROKEN_FORMAT'), text)
  }
  assert.deepEqual(here.fs.list('/a/b/c'), ['epoch', 'format', 'journal', 'settled'], 'no lock is left behind')
})

test('a journal whose format file is gone is not taken for a new one', async () => {
  const here = machine()
  const broker = await here.open()
  await broker.createTopic({ name: 't', partitions: 1 })
  await broker.close()
  here.fs.unlink(`${dataDir}/format`)
  await assert.rejects(here.open(), code('BROKEN_FORMAT'))
})
