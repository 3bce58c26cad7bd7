// The mutant gate of the doorway: each mistake of `mutations.ts` is caught by the very rides that the right one passes.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { checkSections } from './check.ts'
import { allFlows, type Flow } from './flow-file.ts'
import { type Mutant, mutants } from './mutations.ts'
import { takeRide, takeWhole } from './suite.ts'

const flows = new Map(allFlows().map((flow) => [flow.name, flow]))

/** The first ride that catches it, and what was said. */
async function caughtBy(
  flow: Flow,
  { mutation }: Mutant,
  names: readonly string[],
): Promise<{ name: string; said: string } | null> {
  const whole = await takeWhole(flow)
  for (const name of names) {
    try {
      checkSections(flow, (await takeRide(flow, name, whole, mutation)).outcome)
    } catch (error) {
      assert.ok(error instanceof Error)
      return { name, said: error.message }
    }
  }
  return null
}

function ridesBy(by: Exclude<Mutant['by'], 'whole'>): string[] {
  const commits = Array.from({ length: 12 }, (_, i) => i + 1)
  return commits.flatMap((at) => (by === 'refuse' ? [`refuse:${at}`] : [`${by}:${at}:before`, `${by}:${at}:after`]))
}

describe('the mutant gate of the doorway', () => {
  for (const mutant of mutants) {
    test(`"${mutant.name}" is caught`, async (t) => {
      const flow = flows.get(mutant.flow)
      assert.ok(flow !== undefined, `there is no flow ${mutant.flow}`)
      const unharmed = await caughtBy(flow, mutant, ['whole'])
      if (mutant.by !== 'whole') assert.equal(unharmed, null, 'it takes a crash to show it')
      const caught = mutant.by === 'whole' ? unharmed : await caughtBy(flow, mutant, ridesBy(mutant.by))
      assert.ok(caught !== null, 'no ride caught it')
      assert.match(caught.said, mutant.caught)
      t.diagnostic(`caught by ride ${caught.name} of ${flow.name}`)
    })
  }
})
