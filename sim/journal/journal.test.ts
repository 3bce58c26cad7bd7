// The journal in the lying world: thousands of seeds of crashes and failures, bytes that rot, and the mutant gate that
// proves these checks would notice.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { catchMutant, mutants } from './mutants.ts'
import { blankRotMet, runRotSeed } from './rotting.ts'
import { blankMet, runSeed } from './seeds.ts'

const seeds = 3000
const rotSeeds = 500
const mutantSeedsMax = 3000

function failed(what: 'lives' | 'rot', seed: number, cause: unknown): Error {
  return new Error(`seed ${seed}; again with: npm run sim -- --only ${what} --seed ${seed}`, { cause })
}

describe('the journal, in the lying world', () => {
  test(`${seeds} seeds of crashes, full and failing disks lose nothing that was promised`, async () => {
    const met = blankMet()
    for (let seed = 0; seed < seeds; seed++) {
      await runSeed(String(seed), { met }).catch((error: unknown) => {
        throw failed('lives', seed, error)
      })
    }
    // Faults that never came would prove nothing.
    for (const [what, times] of Object.entries(met)) assert.ok(times > 100, `${what}: ${times}`)
  })

  test(`${rotSeeds} seeds of rotten bytes: none is served wrong, what is lost is named`, async () => {
    const met = blankRotMet()
    for (let seed = 0; seed < rotSeeds; seed++) {
      await runRotSeed(String(seed), {}, met).catch((error: unknown) => {
        throw failed('rot', seed, error)
      })
    }
    for (const [what, times] of Object.entries(met)) assert.ok(times > 5, `${what}: ${times}`)
  })

  test('the same seed twice gives the same run', async () => {
    for (let seed = 0; seed < 30; seed++) {
      const traces: (readonly string[])[] = []
      for (let time = 0; time < 2; time++) await runSeed(String(seed), { trace: (lines) => traces.push(lines) })
      assert.ok(traces[0]!.length > 5)
      assert.deepEqual(traces[1], traces[0])
    }
  })
})

describe('the mutant gate', () => {
  for (const mutant of mutants) {
    test(`"${mutant.name}" is caught`, async () => {
      const caught = await catchMutant(mutant, mutantSeedsMax)
      assert.ok(caught !== null, `not caught in ${mutantSeedsMax} seeds of ${mutant.by}`)
    })
  }
})
