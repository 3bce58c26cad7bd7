// Which Plans a job runs, as the log knows it: so that a start with other Plans finds those whose results go on meanwhile,
// and a switch from the ones to the others is one record of a commit.
//
// Topic `millrace.plans`, one partition, compacted. Key: the job's name. Value, JSON:
//
//   {"v":1,"generation":<n, from 1>,"plans":[<Plan> …],"inHouse":[<plan name> …],"reactions":[{"name":…,"version":…} …]}
//
// Changing this needs a format version.
import type { Commit, Log, TopicSpec } from '../log/log.ts'
import { type Plan, planVersion } from '../query/plan.ts'
import type { Reaction } from '../query/reaction.ts'
import { partitionId } from '../std/units.ts'
import { BatchWriter } from '../wire/batch-writer.ts'
import type { Clock } from '../world/world.ts'
import { readRecords } from './topic-records.ts'

export const plansTopic = 'millrace.plans'
const only = partitionId(0)
/** Plans carry contracts and tables. */
export const plansTopicSpec: TopicSpec = {
  name: plansTopic,
  partitions: 1,
  configs: { 'cleanup.policy': 'compact', 'max.message.bytes': String(16 << 20) },
}

export interface JobPlans {
  /** Raised by each switch; snapshots of one are nothing to another. */
  readonly generation: number
  readonly plans: readonly Plan[]
  readonly inHouse: readonly string[]
  readonly reactions: readonly Pick<Reaction, 'name' | 'version'>[]
}

/** Null: none were written down, or by a release whose Plans have another form. */
export async function readJobPlans(log: Log, job: string): Promise<JobPlans | null> {
  const wanted = Buffer.from(job)
  let found: Uint8Array | null = null
  await readRecords(log, plansTopic, only, (key, value) => {
    if (key !== null && wanted.equals(key)) found = value === null ? null : value.slice()
  })
  return found === null ? null : parsed(found)
}
function parsed(value: Uint8Array): JobPlans | null {
  const given = JSON.parse(new TextDecoder().decode(value)) as JobPlans & { readonly v: number }
  return given.v === 1 && given.plans.every(({ version }) => version === planVersion) ? given : null
}

export function jobPlansRecord(clock: Clock, job: string, plans: JobPlans): Commit['appends'][number] {
  const encoder = new TextEncoder()
  const writer = new BatchWriter()
  writer.append(encoder.encode(job), encoder.encode(JSON.stringify({ v: 1, ...plans })), clock.nowMs())
  return { topic: plansTopic, partition: only, batch: writer.finish() }
}

export function samePlans(one: JobPlans, other: JobPlans): boolean {
  const of = ({ plans, inHouse, reactions }: JobPlans): string =>
    JSON.stringify([plans, [...inHouse].sort(), reactions.map(({ name, version }) => [name, version])])
  return of(one) === of(other)
}

/** Name, form and operators of a plan: what its state belongs to. */
export function identityOfPlan(plan: Plan): string {
  return `${plan.name}:${plan.version}:${plan.nodes.at(-1)?.id}`
}
