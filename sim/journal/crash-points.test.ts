// Every crash point of a script of more than 200 operations. `npm run sim -- --only points` tries more outcomes of each.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crashAtEveryPoint, crashInEveryRecovery, failAtEveryPoint } from './crash-points.ts'

test('a kill and four power cuts at every operation lose nothing that was promised', async () => {
  const { points, runs } = await crashAtEveryPoint(4)
  assert.ok(points > 200, `only ${points} operations`)
  assert.equal(runs, 5 * (points + 1))
})

test('a second crash at every operation of the recovery loses nothing either', async () => {
  const { points } = await crashInEveryRecovery(5)
  assert.ok(points > 200, `only ${points} operations of recoveries`)
})

test('a failing or full disk at an operation, once or for ever, loses nothing', async () => {
  const { points } = await failAtEveryPoint(4)
  assert.ok(points > 50, `only ${points} operations`)
})
