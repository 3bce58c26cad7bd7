// The state of a job as a snapshot has it: topics and their dictionaries by name, then a section for each Plan.
//
//   identity (text) | u32 topics | per topic: name, time, ledger, u32 dictionaries, per dictionary: column, its changes
//   | per plan, in the job's order: see plan-runner.ts
//
// What a topic has beyond what the reader decodes is passed over: a column that a Plan no longer asks for. Changing this
// needs a new FORMAT_VERSION in state-bytes.ts.
import { Dictionary, textOf } from './dictionary.ts'
import type { Source } from './job.ts'
import type { PlanRunner } from './plan-runner.ts'
import { SnapshotError, type StateParts, StateReader, StateWriter, unflatten } from './state-bytes.ts'

/** State belongs to Plans, by what remembers in them, and to partitions. */
export function identityOf(runners: readonly PlanRunner[], sources: readonly Source[], bounded: boolean): string {
  const plans = runners.map(({ plan, stateShape }) => [plan.name, stateShape])
  const partitions = sources.map(({ topic, time }) => [topic, time.partitions])
  return JSON.stringify([plans, partitions, bounded])
}

export function writeJobState(
  identity: string,
  sources: readonly Source[],
  runners: readonly PlanRunner[],
): StateParts {
  const out = new StateWriter()
  out.text(identity)
  out.u32(sources.length)
  for (const { topic, dictionaries, time, ledger } of sources) {
    out.text(topic)
    time.write(out)
    ledger.write(out)
    const columns = Object.entries(dictionaries)
    out.u32(columns.length)
    for (const [column, dictionary] of columns) {
      out.text(column)
      dictionary.write(out)
    }
  }
  for (const runner of runners) runner.write(out)
  return out.finish()
}

export function readJobState(
  state: Uint8Array | StateParts,
  identity: string,
  sources: ReadonlyMap<string, Source>,
  runners: readonly PlanRunner[],
): void {
  const from = new StateReader(state instanceof Uint8Array ? unflatten(state) : state)
  const found = from.text()
  if (found !== identity)
    throw new SnapshotError(`the snapshot is of other plans: ${found.slice(0, 200)}. Replay the log instead`)
  for (let left = from.u32(); left > 0; left--) {
    const topic = from.text()
    const source = sources.get(topic)
    if (source === undefined) throw new SnapshotError(`the snapshot has a topic '${topic}' that no plan reads`)
    source.time.restore(from)
    source.ledger.restore(from)
    for (let columns = from.u32(); columns > 0; columns--) {
      const dictionary = source.dictionaries[from.text()] ?? new Dictionary<string>()
      dictionary.restore(from, textOf)
    }
  }
  for (const runner of runners) runner.restore(from)
  from.end()
}
