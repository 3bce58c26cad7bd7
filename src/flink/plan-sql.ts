// A Plan as Flink SQL: sources, one view per node, the sink and the INSERT.
import type { OperatorId, Plan, PlanNode } from '../query/plan.ts'
import { PlanError } from '../query/plan.ts'
import { unreachable } from '../std/assert.ts'
import type { FlinkSql } from './flink.ts'
import { joinSql, newestSql, unionSql } from './join-sql.ts'
import { type FlinkQuery, type FlinkRows, flinkQuery, inputsOf, refuse } from './query-views.ts'
import { decayedSql, overSql, runningSql } from './running-sql.ts'
import { sinkSql } from './sink-sql.ts'
import { sourceSql, unnestSql } from './source-sql.ts'
import { deduplicateSql, filterSql, lookupSql, projectSql, topSql } from './step-sql.ts'
import { windowSql } from './window-sql.ts'

export function planSql(plan: Plan, brokers: string): FlinkSql {
  if (plan.version !== 1)
    throw new PlanError(
      plan.name,
      'version',
      `version ${String(plan.version)} is not known here`,
      'Use this release of Millrace to build it',
    )
  const query = flinkQuery(plan, brokers)
  const made = new Map<OperatorId, FlinkRows>()
  for (const node of plan.nodes) made.set(node.id, nodeSql(query, node, made))
  const last = plan.nodes.at(-1)
  const result = last === undefined ? undefined : made.get(last.id)
  if (result === undefined) throw new PlanError(plan.name, 'nodes', 'there are none', 'Build plans with `from`')
  const sink = sinkSql(query, result)
  return { options: options(plan), ddl: [...query.ddl, sink.table], insert: sink.insert }
}

function options({ name, nodes }: Plan): Record<string, string> {
  const idle = Math.max(...nodes.map((node) => (node.kind === 'source' ? node.idleTimeoutMs : 0)))
  const horizons = nodes.map((node) => (node.kind === 'deduplicate' ? node.horizonMs : 0))
  const horizon = Math.max(...horizons)
  return {
    'pipeline.name': `millrace ${name}`,
    'execution.runtime-mode': 'streaming',
    // Times are read and windows are cut in UTC.
    'table.local-time-zone': 'UTC',
    // What exactly-once sinks make visible, they do at checkpoints.
    'execution.checkpointing.interval': '1 s',
    'execution.checkpointing.mode': 'EXACTLY_ONCE',
    'table.exec.source.idle-timeout': `${idle} ms`,
    ...(horizon === 0 ? {} : { 'table.exec.state.ttl': `${horizon} ms` }),
  }
}

function nodeSql(query: FlinkQuery, node: PlanNode, made: ReadonlyMap<OperatorId, FlinkRows>): FlinkRows {
  const one = (): FlinkRows => inputsOf(query, node, made, 1)[0]!
  switch (node.kind) {
    case 'source':
      return sourceSql(query, node)
    case 'project':
      return projectSql(query, node, one())
    case 'filter':
      return filterSql(query, node, one())
    case 'lookup': {
      if ('rows' in node.table) return lookupSql(query, node, one())
      const [left, right] = inputsOf(query, node, made, 2)
      return newestSql(query, node, left!, right!)
    }
    case 'deduplicate':
      return deduplicateSql(query, node, one())
    case 'window-aggregate':
      return windowSql(query, node, one())
    case 'top':
      return topSql(query, node, one())
    case 'running-aggregate':
      return runningSql(query, node, one())
    case 'over':
      return overSql(query, node, one())
    case 'decayed-sum':
      return decayedSql(query, node, one())
    case 'union':
      return unionSql(query, node, inputsOf(query, node, made, node.inputs.length))
    case 'join': {
      const [left, right] = inputsOf(query, node, made, 2)
      return joinSql(query, node, left!, right!)
    }
    case 'unnest':
      return unnestSql(query, node, one())
    case 'pattern':
      return refuse(
        query,
        node,
        `operator '${node.kind}' has no Flink SQL yet`,
        'Leave it out, or run the plan where it is known',
      )
    default:
      return unreachable(node)
  }
}
