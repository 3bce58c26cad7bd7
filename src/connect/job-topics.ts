// The topics of a job: what its plans read, what their rows, dead letters and late records go to. Creates what is missing.
import type { Log, TopicSpec } from '../log/log.ts'
import type { Contract } from '../query/contract.ts'
import type { Plan, PlanNode } from '../query/plan.ts'
import type { Reaction } from '../query/reaction.ts'
import { assert } from '../std/assert.ts'
import { dirtyTopicSpec, isWindowed } from './dirty-windows.ts'
import type { JobPlans } from './job-plans.ts'
import { deadLetterTopic, lateTopic, type OutputTopics, type ResultPlace, resultTopic } from './outputs.ts'

export interface TopicsOfJob {
  /** By topic that a plan reads. */
  readonly contracts: ReadonlyMap<string, Contract>
  readonly partitions: Readonly<Record<string, number>>
  readonly outputs: OutputTopics
}

/** Partitions of a result topic whose plan has groups; a plan without groups has one row at a time and needs one. */
const groupedResultPartitions = 3

export async function jobTopics(
  log: Log,
  { plans, inHouse }: Pick<JobPlans, 'plans' | 'inHouse'>,
  reactions: readonly Reaction[],
): Promise<TopicsOfJob> {
  const contracts = new Map<string, Contract>()
  for (const plan of plans) for (const each of Object.values(plan.contracts)) contracts.set(each.topic, each)
  const partitions: Record<string, number> = {}
  for (const each of contracts.values()) {
    const made = await madeTopic(log, { name: each.topic, partitions: each.partitions })
    partitions[each.topic] = made
    await madeTopic(log, { name: deadLetterTopic(each.topic), partitions: made })
    await madeTopic(log, { name: lateTopic(each.topic), partitions: made })
  }
  const results = new Map<string, ResultPlace>()
  for (const plan of plans) {
    if (inHouse.includes(plan.name)) continue
    const topic = resultTopic(plan)
    const wanted = groupColumns(plan).length > 0 || plan.output.key !== undefined ? groupedResultPartitions : 1
    // Of rows that replace each other only the newest are kept in the end; rows without a key replace nothing.
    const policy = resultNode(plan).changelog.mode === 'upsert' ? 'compact' : 'delete'
    const made = await madeTopic(log, { name: topic, partitions: wanted, configs: { 'cleanup.policy': policy } })
    const marked = isWindowed(plan)
    if (marked) await madeTopic(log, dirtyTopicSpec(topic))
    results.set(plan.name, { topic, partitions: made, marked })
  }
  const emitted = new Map<string, number>()
  for (const { topic, partitions: wanted, compacted } of reactions.flatMap(({ writes }) => writes)) {
    const configs = { 'cleanup.policy': compacted ? 'compact' : 'delete' }
    emitted.set(topic, await madeTopic(log, { name: topic, partitions: wanted, configs }))
  }
  return { contracts, partitions, outputs: { results, emitted } }
}

function resultNode(plan: Plan): PlanNode {
  const node = plan.nodes.at(-1)
  assert(node !== undefined, `plan ${plan.name} has no nodes`)
  return node
}
function groupColumns(plan: Plan): readonly string[] {
  const node = resultNode(plan)
  return node.kind === 'window-aggregate' ? node.groups : []
}

/** Returns how many partitions it has. */
export async function madeTopic(log: Log, spec: TopicSpec): Promise<number> {
  const known = log.topic(spec.name)
  if (known !== null) return known.partitions
  return (await log.createTopic(spec)).partitions
}
