// Settling in the lying world: crashes, failing and full disks at the operations of a script that settles and drops all the
// time, and the mutant gate that proves these checks would notice. `npm run sim -- --only settled` tries every operation.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { calmly, settledCrashes, settledFailures } from './crash-points.ts'
import { catchSettledMutant, settledMutants } from './mutants.ts'

describe('settling, in the lying world', () => {
  test('the script settles, rolls files and drops them', async () => {
    const { settledLsn, files, dropped, operations } = await calmly()
    assert.ok(settledLsn > 30 && files > 8 && dropped > 0 && operations > 400)
  })

  test('a kill and power cuts, at the start and while it settles and drops, lose nothing that was promised', async () => {
    const { points, lives } = await settledCrashes(3, 37, 2)
    assert.ok(points > 10 && lives > 90, `${points} points, ${lives} lives`)
  })

  test('another script: the same', async () => {
    const { points } = await settledCrashes(8, 67, 2, { script: 'another', steps: 80 })
    assert.ok(points > 5, `${points} points`)
  })

  test('a failing or full disk, once and for ever, loses nothing either', async () => {
    const { points } = await settledFailures(5, 61)
    assert.ok(points > 5, `${points} points`)
  })
})

describe('the mutant gate of settling', () => {
  for (const mutant of settledMutants) {
    test(`"${mutant.name}" is caught`, async () => {
      assert.notEqual(await catchSettledMutant(mutant, 2), null)
    })
  }
})
