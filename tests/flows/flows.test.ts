// Every flow of this folder, on every ride (README.md): what the file says must come out, and nothing else, whatever the
// batching, the snapshots, the crashes.
//
//   MILLRACE_FLOW=late-across-a-crash npm test -- tests/flows/flows.test.ts            one flow (part of its name)
//   MILLRACE_FLOW=late-across-a-crash MILLRACE_RIDE=power:37:0 npm test -- …           one ride of it
//   MILLRACE_FLOWS=all node bin/node.mjs --test tests/flows/flows.test.ts              every point of I/O: half an hour
//   MILLRACE_FLOWS=write npm test -- tests/flows/flows.test.ts                         writes what came out into the files
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { after, describe, test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { allFlows, type Flow } from './flow-file.ts'
import type { FlowAnswer, FlowTask } from './flow-worker.ts'
import { printSection } from './outcome.ts'
import { ride } from './ride.ts'
import { runFlow } from './run-flow.ts'
import { addMet, blankMet, takeRide, takeWhole } from './suite.ts'

const {
  MILLRACE_FLOW: only,
  MILLRACE_RIDE: onlyRide,
  MILLRACE_FLOWS: mode,
  MILLRACE_SEED: seed = 'flows',
} = process.env
const flows = allFlows().filter(({ name }) => only === undefined || name.includes(only))
const met = blankMet()
let worker: Worker | null = null

async function takeAll(flow: Flow): Promise<void> {
  worker ??= new Worker(new URL('./flow-worker.ts', import.meta.url))
  const task: FlowTask = { flow: flow.name, seed, all: mode === 'all' }
  worker.postMessage(task)
  const [answer] = (await once(worker, 'message')) as [FlowAnswer]
  if ('broken' in answer) throw new Error(answer.broken)
  addMet(met, answer.met)
}
/** Here and not in the thread: to be looked at with a debugger. */
async function takeOne(flow: Flow, name: string): Promise<void> {
  await takeRide(flow, name, await takeWhole(flow))
}
/** The file with what came out: to be read line by line before it is believed. */
async function write(flow: Flow): Promise<void> {
  const { outcome } = await runFlow(flow, ride('whole'))
  const sections = [...flow.sections.keys()].map((name) => ({ name, rows: printSection(flow, outcome, name) }))
  const said = sections.filter(({ name, rows }) => rows.length > 0 || (name !== 'late' && name !== 'dead letters'))
  const text = said.map(({ name, rows }) => `\n--- ${name}\n${rows.map((row) => `${row}\n`).join('')}`).join('')
  writeFileSync(flow.path, `${flow.head}\n${text}`)
}

describe('flows, on every ride', () => {
  assert.ok(flows.length > 0, `no flow has '${only}' in its name`)
  for (const flow of flows)
    test(flow.name, () =>
      mode === 'write' ? write(flow) : onlyRide !== undefined ? takeOne(flow, onlyRide) : takeAll(flow),
    )
  after(async () => {
    await worker?.terminate()
    if (only !== undefined || onlyRide !== undefined || mode === 'write') return
    assert.ok(flows.length >= 95, `${flows.length} flows`)
    // Faults that never came would prove nothing.
    for (const [what, times] of Object.entries(met)) assert.ok(times >= 20, `${what}: ${times}`)
  })
})
