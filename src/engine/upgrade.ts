// From one set of Plans to another without losing state: Plans whose operators are unchanged go on with it, new and changed
// ones are computed from the log by a job of their own, and a cut of both is the state of the set that is wanted. The two
// jobs take turns on one thread and share decoders and dictionaries, so an id means the same in the state of either.
import type { Plan } from '../query/plan.ts'
import type { Reaction } from '../query/reaction.ts'
import { assert } from '../std/assert.ts'
import type { Job, Upgrade, UpgradeSettings } from './engine.ts'
import { EngineJob, openSources, type SharedSources, type Source, topicsOf } from './job.ts'
import { identityOf, writeJobState } from './job-state.ts'
import { openDecoder } from './kernel/kernel-decoder.ts'
import { lowerPlan } from './lower.ts'
import { PlanRunner } from './plan-runner.ts'
import { type ReactingJob, reactingJob, withReactions } from './reacting-job.ts'
import type { StateParts } from './state-bytes.ts'

export function upgradeJob({ running, wanted, job: settings }: UpgradeSettings): Upgrade {
  const before = running.plans.map((plan) => onContractsOf(plan, wanted.plans))
  const lowered = { before: before.map(lowerPlan), wanted: wanted.plans.map(lowerPlan) }
  const all = [...lowered.before, ...lowered.wanted]
  const shared: SharedSources = { ...openSources(all, openDecoder, settings), holders: [] }
  const shapes = new Map(lowered.before.map((one) => [one.plan.name, new PlanRunner(one, shared.runnerSettings)]))
  /** Only a Plan of the same name has told its rows to the same topic. */
  const isKept = (plan: Plan): boolean => {
    const old = shapes.get(plan.name)
    const one = lowered.wanted.find((lower) => lower.plan === plan)
    return one !== undefined && old?.stateShape === new PlanRunner(one, shared.runnerSettings).stateShape
  }
  const kept = new Set(wanted.plans.filter(isKept).map(({ name }) => name))
  const keeps = (reaction: Reaction): boolean =>
    running.reactions.some(({ name, version }) => name === reaction.name && version === reaction.version) &&
    reaction.reads.every((plan) => kept.has(plan))
  const [old, fresh] = [wanted.reactions.filter(keeps), wanted.reactions.filter((one) => !keeps(one))]
  const feeding = new Set(fresh.flatMap(({ reads }) => reads))
  const rebuilt = wanted.plans.filter(({ name }) => !kept.has(name) || feeding.has(name))

  const live = new EngineJob(before, openDecoder, settings, shared)
  const behind = rebuilt.length === 0 ? null : new EngineJob(rebuilt, openDecoder, settings, shared)
  const liveReacting = running.reactions.length === 0 ? null : reactingJob(live, old)
  const behindReacting = behind === null || fresh.length === 0 ? null : reactingJob(behind, fresh)
  const topics = topicsOf(all)

  return {
    job: overTopics(liveReacting ?? live, topics),
    rebuilding: behind === null ? null : overTopics(behindReacting ?? behind, topics),
    kept: [...kept],
    rebuilt: rebuilt.map(({ name }) => name).filter((name) => !kept.has(name)),
    cut(): StateParts {
      const runners = wanted.plans.map(({ name }) => {
        const runner = (kept.has(name) ? live : behind)?.runnerOf(name)
        assert(runner !== undefined && runner !== null, `plan ${name} runs`)
        return runner
      })
      const sources = topicsOf(lowered.wanted).map((topic): Source => {
        const found = [...live.sources, ...(behind?.sources ?? [])].find((source) => source.topic === topic)
        assert(found !== undefined, `topic ${topic} is read`)
        return found
      })
      // The layouts are equal, the names of what is kept too: a runner that goes on writes what the wanted one reads.
      const engine = writeJobState(identityOf(runners, sources, settings.bounded), sources, runners)
      const states = { ...liveReacting?.states(), ...behindReacting?.states() }
      return wanted.reactions.length === 0 ? engine : withReactions(engine, states)
    },
  }
}

/** A contract of which only rules or unused fields differ is the wanted one's from here on. */
function onContractsOf(plan: Plan, wanted: readonly Plan[]): Plan {
  const contracts = Object.fromEntries(
    Object.entries(plan.contracts).map(([topic, contract]) => [
      topic,
      wanted.find((one) => one.contracts[topic] !== undefined)?.contracts[topic] ?? contract,
    ]),
  )
  return { ...plan, contracts }
}

/** Both jobs are shown the same entries, so that they are at the same place: what one does not read it lets pass. */
function overTopics(job: Job | ReactingJob, topics: readonly string[]): Job {
  const reads = new Set(job.topics)
  return {
    topics,
    push(batch) {
      if (reads.has(batch.topic)) job.push(batch)
    },
    memoryOf: (topic) => (reads.has(topic) ? job.memoryOf(topic) : null),
    tick: (tick) => job.tick(tick),
    finish: () => job.finish(),
    take: () => job.take(),
    release: (output) => job.release(output),
    watermarkMs: (planOrTopic) =>
      topics.includes(planOrTopic) && !reads.has(planOrTopic) ? Number.NEGATIVE_INFINITY : job.watermarkMs(planOrTopic),
    partitions: (topic) => (reads.has(topic) ? job.partitions(topic) : []),
    ledger: () => job.ledger(),
    operators: () => job.operators(),
    horizons: () => job.horizons(),
    snapshot: () => job.snapshot(),
    cut: () => job.cut(),
    restore: (state) => job.restore(state),
    stateBytes: () => job.stateBytes(),
    isIdle: (topic, partition) => reads.has(topic) && job.isIdle(topic, partition),
    wakingAt: (topic, partition) => job.wakingAt(topic, partition),
    absorb: (shard, piece, rawOf) => job.absorb(shard, piece, rawOf),
  }
}
