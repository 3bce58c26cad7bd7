// Holds both worlds to the words of world.ts: every case runs on Node's and on the simulated one.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { describe, test } from 'node:test'
import { nodeWorld } from '../src/world/node.ts'
import { clockCases } from './contract/clock.ts'
import { fileCases } from './contract/files.ts'
import { networkCases } from './contract/network.ts'
import { threadCases } from './contract/threads.ts'
import { simulate } from './world.ts'

const cases = [...fileCases, ...clockCases, ...networkCases, ...threadCases]
const simulatedSeeds = 20

for (const syncs of ['thread', 'pool'] as const) {
  describe(`the contract of World, on Node, syncs by ${syncs}`, () => {
    for (const { name, run } of syncs === 'thread' ? cases : fileCases) {
      test(name, async () => {
        const folder = mkdtempSync(`${tmpdir()}/millrace-contract-`)
        try {
          await run({ world: nodeWorld({ syncs }), folder })
        } finally {
          rmSync(folder, { recursive: true, force: true })
        }
      })
    }
  })
}

describe('the contract of World, simulated', () => {
  for (const { name, run } of cases) {
    test(name, async () => {
      for (let seed = 0; seed < simulatedSeeds; seed++) {
        // Partial reads and writes are within the contract; what fails is not.
        const simulation = simulate({ seed, faults: { shortOdds: seed % 2 === 0 ? 0 : 0.3 } })
        const life = await simulation.run(async (world) => {
          world.fs.mkdir('/work')
          await run({ world, folder: '/work' })
        })
        if (life.end === 'threw') throw new Error(`seed ${seed}`, { cause: life.error })
        assert.equal(life.end, 'returned', `seed ${seed}`)
      }
    })
  }
})
