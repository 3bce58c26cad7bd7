// A thread that takes flows on their rides, away from the test runner: its hooks make every promise dear, and a ride is
// little else than promises. Answers with what came to pass, or with what was broken.
import { parentPort } from 'node:worker_threads'
import { allFlows } from './flow-file.ts'
import { blankMet, type Met, type SuiteSettings, takeAllRides } from './suite.ts'

export interface FlowTask extends SuiteSettings {
  readonly flow: string
}
export type FlowAnswer = { readonly met: Met } | { readonly broken: string }

const flows = new Map(allFlows().map((flow) => [flow.name, flow]))

async function answer({ flow: name, ...settings }: FlowTask): Promise<FlowAnswer> {
  const flow = flows.get(name)
  if (flow === undefined) return { broken: `there is no flow ${name}` }
  const met = blankMet()
  try {
    await takeAllRides(flow, settings, met)
    return { met }
  } catch (error) {
    return { broken: error instanceof Error ? (error.stack ?? error.message) : String(error) }
  }
}

parentPort?.on('message', (task: FlowTask) => {
  void answer(task).then((found) => parentPort?.postMessage(found))
})
