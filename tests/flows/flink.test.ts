// The Flink SQL of every plan of the flows, as goldens beside them: what a cluster is given, to be read. After a wanted
// change: UPDATE_GOLDENS=1 npm test -- tests/flows/flink.test.ts
import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { flinkSql } from '../../src/flink/flink.ts'
import { randomStream } from '../../src/std/random.ts'
import { questionNames, questionOf } from './graph-questions.ts'
import { plans } from './plans.ts'

test('the Flink SQL of every plan of the flows', () => {
  const goldens = new URL('flink/', import.meta.url)
  if (process.env.UPDATE_GOLDENS) {
    rmSync(goldens, { recursive: true, force: true })
    mkdirSync(goldens)
  }
  const seen = new Set<string>()
  const check = (name: string, text: string): void => {
    seen.add(`${name}.sql`)
    const golden = new URL(`${name}.sql`, goldens)
    if (process.env.UPDATE_GOLDENS) writeFileSync(golden, text)
    assert.equal(text, readFileSync(golden, 'utf8'))
  }
  const questions = questionNames.map((name) => questionOf(name, randomStream('flink')).plan)
  for (const plan of [...plans.values(), ...questions]) {
    const { ddl, insert } = flinkSql(plan)
    // Sources and sinks look alike for all: `src/flink/goldens` has them whole.
    const common = ['TABLE `', `VIEW \`${plan.name}-source`].map((one) => `CREATE TEMPORARY ${one}`)
    const steps = ddl.filter((statement) => !common.some((one) => statement.startsWith(one)))
    check(plan.name, `${[...steps, insert].map((statement) => `${statement};\n`).join('\n')}`)
  }
  assert.deepEqual(readdirSync(goldens).sort(), [...seen].sort(), 'goldens of plans that are no more')
})
