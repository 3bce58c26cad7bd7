// Which columns each node of a query must put out: what its users read of them. A column that some step of a run of steps
// reads stays to the end of the run, so an operator's id does not depend on the order in which steps read.
import { unreachable } from '../std/assert.ts'
import type { Draft } from './build.ts'
import { type Aggregation, type Expression, partsOf } from './plan.ts'

/** `drafts`: inputs before their users, the result last. */
export function columnsKept(drafts: readonly Draft[]): ReadonlyMap<Draft, ReadonlySet<string>> {
  const needed = new Map<Draft, Set<string>>(drafts.map((draft) => [draft, new Set()]))
  const result = drafts[drafts.length - 1]
  for (const { name } of result?.columns ?? []) needed.get(result!)?.add(name)
  for (const draft of drafts.toReversed()) {
    const own = needed.get(draft)!
    // Time and key are part of what a row is; a table without its key would be another one.
    if (draft.time !== null && draft.inputs.length === 0) own.add(draft.time)
    if (draft.changelog.mode === 'upsert') for (const name of draft.changelog.key) own.add(name)
    draft.inputs.forEach((input, index) => {
      const of = needed.get(input)!
      for (const name of neededOf(draft, own, index)) if (input.columns.some((one) => one.name === name)) of.add(name)
    })
  }
  const kept = new Map<Draft, Set<string>>()
  for (const draft of drafts) kept.set(draft, keptBy(draft, needed.get(draft)!, kept))
  return kept
}

function keptBy(draft: Draft, needed: Set<string>, kept: ReadonlyMap<Draft, Set<string>>): Set<string> {
  const all = draft.columns.map(({ name }) => name)
  switch (draft.body.kind) {
    case 'project':
    case 'filter':
    case 'lookup':
    case 'deduplicate': {
      const before = kept.get(draft.inputs[0]!)!
      const made = madeBy(draft)
      return new Set(all.filter((name) => made.has(name) || before.has(name)))
    }
    case 'top': {
      const before = kept.get(draft.inputs[0]!)!
      return new Set(all.filter((name) => before.has(name)))
    }
    case 'window-aggregate':
    case 'running-aggregate':
    case 'pattern':
      return new Set(all)
    case 'source':
    case 'unnest':
    case 'union':
    case 'join':
    case 'over':
    case 'decayed-sum': {
      const made = madeBy(draft)
      return new Set(all.filter((name) => made.has(name) || needed.has(name)))
    }
    default:
      return unreachable(draft.body)
  }
}
/** Columns that the node computes itself. */
function madeBy({ body, columns, inputs }: Draft): ReadonlySet<string> {
  switch (body.kind) {
    case 'decayed-sum': {
      // The column that its input does not have.
      const before = new Set(inputs[0]?.columns.map(({ name }) => name))
      return new Set(columns.flatMap(({ name }) => (before.has(name) ? [] : [name])))
    }
    case 'project':
      return new Set(body.derive.map(({ name }) => name))
    case 'lookup':
      return new Set(body.table.columns.map(({ name }) => name))
    case 'over':
      return new Set(body.aggregates.map(({ name }) => name))
    default:
      return new Set()
  }
}

/** What a node reads of an input; `own` is what its own users read of it. */
function neededOf(draft: Draft, own: ReadonlySet<string>, index: number): ReadonlySet<string> {
  const { body } = draft
  const names = new Set<string>()
  const through = (): void => {
    const made = madeBy(draft)
    for (const name of own) if (!made.has(name)) names.add(name)
  }
  switch (body.kind) {
    case 'project':
      if (body.keep === 'all') through()
      for (const { value } of body.derive) columnsIn(value, names)
      break
    case 'filter':
      through()
      columnsIn(body.condition, names)
      break
    case 'lookup':
      if (index === 1) for (const { name } of draft.inputs[1]!.columns) names.add(name)
      else {
        through()
        names.add(body.by)
      }
      break
    case 'deduplicate':
      through()
      for (const name of body.identity) names.add(name)
      break
    case 'window-aggregate':
    case 'running-aggregate':
      for (const name of body.groups) names.add(name)
      for (const { aggregate } of body.aggregates) columnsOfAggregate(aggregate, names)
      break
    case 'over':
      through()
      for (const name of body.keys) names.add(name)
      for (const { aggregate } of body.aggregates) columnsOfAggregate(aggregate, names)
      break
    case 'decayed-sum':
      through()
      for (const name of body.keys) names.add(name)
      columnsIn(body.value, names)
      break
    case 'top':
      through()
      for (const name of body.within) names.add(name)
      for (const { column } of body.by) names.add(column)
      break
    case 'join':
      through()
      for (const { left, right } of body.on) names.add(index === 0 ? left : right)
      break
    case 'unnest':
      through()
      names.add(body.array)
      break
    case 'union':
      through()
      break
    case 'pattern':
      for (const name of body.keys) names.add(name)
      for (const { condition } of body.steps) columnsIn(condition, names)
      break
    case 'source':
      break
    default:
      unreachable(body)
  }
  if (draft.inputs[index]?.time) names.add(draft.inputs[index].time)
  return names
}

function columnsIn(expression: Expression, into: Set<string>): void {
  if (expression.op === 'column') into.add(expression.name)
  for (const part of partsOf(expression)) columnsIn(part, into)
}
function columnsOfAggregate(aggregate: Aggregation, into: Set<string>): void {
  if (aggregate.function === 'ratio') {
    columnsOfAggregate(aggregate.numerator, into)
    columnsOfAggregate(aggregate.denominator, into)
    return
  }
  if (aggregate.of) columnsIn(aggregate.of, into)
  if (aggregate.function === 'argmax') columnsIn(aggregate.by, into)
  if (aggregate.where) columnsIn(aggregate.where, into)
}
