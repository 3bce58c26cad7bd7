// The contract of serving stores on SQLite, and what only a file can suffer.
import assert from 'node:assert/strict'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { openServing } from '../../src/stores/serving.ts'
import { nodeWorld } from '../../src/world/node.ts'
import { temporaryFolder } from '../files/watching.suite.ts'
import { row, storeSuite, table } from './store.suite.ts'

const world = nodeWorld()
const { path: folder, remove } = temporaryFolder()
after(remove)
const open = (path: string, told: string[] = []): ReturnType<typeof openServing> =>
  openServing(world, { kind: 'sqlite', path }, (line) => told.push(line))

storeSuite('SQLite', () => open(join(folder, 'serving.sqlite')))

test('SQLite: a file that is damaged, or none of ours, is put aside and a new one begun; one such file is kept', async () => {
  const path = join(folder, 'damaged.sqlite')
  for (let round = 0; round < 2; round++) {
    writeFileSync(path, `this is no database, round ${round} `.repeat(500))
    const told: string[] = []
    const store = await open(path, told)
    const { epoch, next } = await store.takeOver(table, 'topic')
    assert.equal(next.size, 0)
    await store.apply({
      table,
      partition: 0,
      from: 0,
      to: 1,
      isFirst: true,
      epoch,
      rows: [row('a', 0, {})],
      deleted: [],
    })
    assert.equal((await store.rows({ table, where: {}, after: null, limit: 10 })).length, 1)
    await store.close()
    assert.match(told.join(), /damaged\.sqlite\.bad-\d+ now and is filled again from the log/)
  }
  const aside = readdirSync(folder).filter((name) => name.startsWith('damaged.sqlite.bad-'))
  assert.equal(aside.length, 1)
})
