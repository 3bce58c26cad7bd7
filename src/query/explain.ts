// Prints a Plan for people: a head, then its operators from result to source with ids, changelog modes and columns.
import { unreachable } from '../std/assert.ts'
import { decimalText } from '../std/decimal.ts'
import { instantText } from '../std/instant.ts'
import type { FieldType } from './contract.ts'
import type { Aggregation, Emit, Expression, Plan, PlanNode, Window } from './plan.ts'

export function printPlan(plan: Plan): string {
  const { output } = plan
  const lines = [
    `plan ${plan.name} (version ${plan.version})`,
    `  emit      ${emitText(plan.emit)}`,
    `  lateness  ${durationText(plan.latenessMs)}`,
    `  output    ${output.topic ?? plan.name}, times as ${output.times}${output.finalColumn === null ? '' : `, final in ${output.finalColumn}`}${output.key === undefined ? '' : `, keyed by ${output.key}`}${output.writtenAtColumn === undefined ? '' : `, written at in ${output.writtenAtColumn}`}`,
  ]
  const byId = new Map(plan.nodes.map((node) => [node.id, node]))
  const print = (node: PlanNode, indent: string): void => {
    lines.push('', ...nodeLines(node).map((line) => indent + line))
    for (const input of node.inputs) {
      const below = byId.get(input)
      if (below) print(below, node.inputs.length > 1 ? `${indent}  ` : indent)
    }
  }
  const result = plan.nodes[plan.nodes.length - 1]
  if (result) print(result, '')
  return `${lines.join('\n')}\n`
}

function nodeLines(node: PlanNode): string[] {
  const { changelog } = node
  const mode = changelog.mode === 'upsert' ? `upsert by ${changelog.key.join(', ')}` : changelog.mode
  return [
    `${node.kind} #${node.id}`,
    ...bodyLines(node).map((line) => `  ${line}`),
    `  changelog ${mode}; time ${node.time ?? 'none'}; order ${node.order}; ${node.merges ? 'merges' : 'one thread'}; evidence ${node.evidence}`,
    ...node.columns.map((column) => `  | ${column.name}: ${typeText(column.type)}${column.nullable ? ' or null' : ''}`),
  ]
}

function bodyLines(node: PlanNode): string[] {
  switch (node.kind) {
    case 'source':
      return [
        `topic ${node.topic}, contract version ${node.contractVersion}, event time ${node.eventTime}`,
        `out of order ${durationText(node.outOfOrderMs)}, idle after ${durationText(node.idleTimeoutMs)}, future limit ${durationText(node.futureLimitMs)}`,
      ]
    case 'project':
      return node.keep === 'none' &&
        node.derive.every(({ name, value }) => value.op === 'column' && value.name === name)
        ? [`only ${node.derive.map(({ name }) => name).join(', ')}`]
        : node.derive.map(({ name, value }) => `${name} = ${expressionText(value)}`)
    case 'filter':
      return [`where ${expressionText(node.condition)}`]
    case 'lookup': {
      const { table } = node
      const name = 'name' in table ? `${table.name} (${table.rows.length} rows)` : `topic ${table.compacted}`
      return [
        `${table.columns.map((column) => column.name).join(', ')} from ${name} by ${node.by}; unknown: ${node.unknown}`,
      ]
    }
    case 'window-aggregate':
      return [
        windowText(node.window),
        ...(node.groups.length > 0 ? [`by ${node.groups.join(', ')}`] : []),
        ...node.aggregates.map(({ name, aggregate }) => `${name} = ${aggregateText(aggregate)}`),
      ]
    case 'running-aggregate':
      return [
        `by ${node.groups.join(', ')}`,
        ...node.aggregates.map(({ name, aggregate }) => `${name} = ${aggregateText(aggregate)}`),
      ]
    case 'over':
      return [
        `per ${node.keys.join(', ')}, the last ${durationText(node.rangeMs)}`,
        ...node.aggregates.map(({ name, aggregate }) => `${name} = ${aggregateText(aggregate)}`),
      ]
    case 'unnest':
      return [`each of ${node.array}`]
    case 'deduplicate':
      return [`by ${node.identity.join(', ')} within ${durationText(node.horizonMs)} and ${node.horizonBytesMax} bytes`]
    case 'union':
      return []
    case 'top':
      return [
        `${node.rows} rows per ${node.within.join(', ')} by ${node.by.map((by) => `${by.column}${by.descending ? ' descending' : ''}`).join(', ')}`,
      ]
    case 'join':
      return [
        `${node.how}, ${node.side}, on ${node.on.map((pair) => `${pair.left} = ${pair.right}`).join(', ')}`,
        `from ${durationText(node.beforeMs)} before to ${durationText(node.afterMs)} after`,
      ]
    case 'decayed-sum':
      return [`${expressionText(node.value)} per ${node.keys.join(', ')}, half-life ${durationText(node.halfLifeMs)}`]
    case 'pattern':
      return [
        `per ${node.keys.join(', ')} within ${durationText(node.withinMs)}`,
        ...node.steps.map((step) => `${step.name}: ${expressionText(step.condition)}`),
      ]
    default:
      return unreachable(node)
  }
}

function windowText(window: Window): string {
  switch (window.kind) {
    case 'tumbling':
      return `tumbling ${durationText(window.sizeMs)}`
    case 'hopping':
      return `hopping ${durationText(window.sizeMs)} every ${durationText(window.slideMs)}`
    case 'cumulative':
      return `cumulative to ${durationText(window.sizeMs)} by ${durationText(window.stepMs)}`
    case 'session':
      return `session, gap ${durationText(window.gapMs)}`
    case 'calendar':
      return `calendar ${window.unit} in ${window.zone}`
    default:
      return unreachable(window)
  }
}

function emitText(emit: Emit): string {
  switch (emit.mode) {
    case 'on-close':
      return 'on close'
    case 'on-change':
      return 'on change, and on close'
    case 'interval':
      return `every ${durationText(emit.everyMs)}, and on close`
    default:
      return unreachable(emit)
  }
}

function aggregateText(aggregate: Aggregation): string {
  if (aggregate.function === 'ratio')
    return `ratio(${aggregateText(aggregate.numerator)}, ${aggregateText(aggregate.denominator)}, ${aggregate.scale} decimals)`
  const more =
    aggregate.function === 'argmax'
      ? `, ${expressionText(aggregate.by)}`
      : aggregate.function === 'quantile'
        ? `, ${aggregate.fraction}`
        : ''
  const where = aggregate.where === null ? '' : ` where ${expressionText(aggregate.where)}`
  return `${aggregate.function}(${aggregate.of === null ? '' : expressionText(aggregate.of)}${more}${where})`
}

const signs = { plus: '+', minus: '-', times: '*' } as const

function expressionText(expression: Expression): string {
  switch (expression.op) {
    case 'column':
      return expression.name
    case 'literal':
      return literalText(expression.value, expression.type)
    case 'plus':
    case 'minus':
    case 'times':
      return `(${expressionText(expression.left)} ${signs[expression.op]} ${expressionText(expression.right)})`
    case 'compare':
      return `(${expressionText(expression.left)} ${expression.by} ${expressionText(expression.right)})`
    case 'and':
    case 'or':
      return `(${expressionText(expression.left)} ${expression.op} ${expressionText(expression.right)})`
    case 'when': {
      const branches = expression.branches.map(
        ({ condition, value }) => `when ${expressionText(condition)} then ${expressionText(value)}`,
      )
      return `(${branches.join(' ')} else ${expressionText(expression.otherwise)})`
    }
    case 'coalesce':
    case 'least':
    case 'greatest':
      return `${expression.op}(${expression.of.map(expressionText).join(', ')})`
    case 'absolute':
    case 'to-float':
    case 'ln':
    case 'sqrt':
    case 'exp':
      return `${expression.op}(${expressionText(expression.of)})`
    case 'modulo':
      return `(${expressionText(expression.left)} % ${expressionText(expression.right)})`
    case 'ratio': {
      const { left, right, type } = expression
      const scale = 'scale' in type ? type.scale : 0
      return `ratio(${expressionText(left)}, ${expressionText(right)}, ${scale} decimals)`
    }
    case 'divide':
      return `(${expressionText(expression.left)} / ${expressionText(expression.right)})`
    case 'time-part':
      return `${expression.part}(${expressionText(expression.of)} in ${expression.zone})`
    case 'not':
      return `not ${expressionText(expression.of)}`
    case 'is-null':
      return `(${expressionText(expression.of)} is null)`
    case 'starts-with':
      return `starts_with(${expressionText(expression.of)}, ${JSON.stringify(expression.prefix)})`
    case 'one-of':
      return `(${expressionText(expression.of)} in [${expression.values.map((value) => JSON.stringify(value)).join(', ')}])`
    default:
      return unreachable(expression)
  }
}

function literalText(value: string | number | boolean | null, type: FieldType): string {
  if (typeof value === 'number' && (type.kind === 'money' || type.kind === 'decimal'))
    return decimalText(value, type.scale)
  if (typeof value === 'number' && type.kind === 'timestamp') return instantText(value, true)
  return JSON.stringify(value)
}

function typeText(type: FieldType): string {
  switch (type.kind) {
    case 'money':
      return `money(${type.scale} decimals, ${type.currency})`
    case 'decimal':
      return `decimal(${type.scale} decimals)`
    case 'array':
      return `array of ${typeText(type.of)}`
    default:
      return type.kind
  }
}

/** The largest unit that divides it: `15 min`, `1 s`, `0 s`. */
function durationText(ms: number): string {
  if (ms === 0) return '0 s'
  for (const [unit, size] of [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['min', 60_000],
    ['s', 1000],
  ] as const)
    if (ms % size === 0) return `${ms / size} ${unit}`
  return `${ms} ms`
}
