// Lowers aggregates to states and to the sources of their result columns. Equal aggregates share a state: an average
// costs nothing beside its sum, several quantiles one sketch.
import type { FieldType } from '../query/contract.ts'
import type { Aggregation, Column, Expression, NamedAggregate, Plan } from '../query/plan.ts'
import { isNullable, PlanError, typeOf } from '../query/plan.ts'
import { assert, unreachable } from '../std/assert.ts'
import type { AggregateSource } from './aggregate-values.ts'
import type { Batch } from './columns.ts'
import { Dictionary } from './dictionary.ts'
import { type Counted, numberIds, PaneDistinct } from './distinct-state.ts'
import { isText, lowerNumbers, type NumberEvaluator } from './expressions.ts'
import { ExtremeState } from './extreme-state.ts'
import type { NumberDictionary, Place } from './operator.ts'
import { idNumbers, type PickSettings, PickState } from './pick-state.ts'
import { QuantileState } from './quantile-state.ts'
import { RangeDistinct } from './range-distinct.ts'
import { SlidingDistinct, type SlidingPlaces } from './sliding-distinct.ts'
import { SumState } from './sum-state.ts'
import { compareText } from './text-predicates.ts'
import { VarianceState } from './variance-state.ts'
import { type CellPlaces, CountState, type Place as StatePlace, type WindowState } from './window-state.ts'

export interface AggregateParts {
  readonly plan: Plan
  /** The node, for messages. */
  readonly at: string
  readonly grouped: boolean
  /** The sliding places are moments of `over`: each a cell and a pane of its own. */
  readonly overMoments?: boolean
  readonly aggregates: readonly NamedAggregate[]
  /** Names the group behind an index of a state's place, for errors. */
  readonly keyOf: (place: StatePlace, index: number) => string
  /** Columns of the operator's input. */
  readonly columns: readonly Column[]
  readonly placeOf: (name: string) => Place
  /** Takes the dictionaries made for numbers, for sweeps and snapshots. */
  readonly numbers: NumberDictionary[]
}

/** Every state, and where the columns of the aggregates come from. The first state counts records. */
export function lowerAggregates(
  parts: AggregateParts,
  places: CellPlaces,
  sliding: SlidingPlaces | null,
): { states: WindowState[]; sources: AggregateSource[] } {
  const states: WindowState[] = []
  const known = new Map<string, number>()
  const slotOf = (name: string): number => parts.placeOf(name).slot
  const state = (key: string, make: () => WindowState): number => {
    const index = known.get(key) ?? states.push(make()) - 1
    known.set(key, index)
    return index
  }
  const sketches = new Map<string, QuantileState>()
  const shared = (of: string, make: () => QuantileState): QuantileState => {
    const made = sketches.get(of) ?? make()
    sketches.set(of, made)
    return made
  }
  const whereOf = (where: Expression | null): NumberEvaluator | null =>
    where === null ? null : lowerNumbers(where, slotOf)
  const key = (kind: string, of: Expression | null, where: Expression | null): string =>
    JSON.stringify([kind, of, where])
  const countOf = (of: Expression | null, where: Expression | null): number => {
    const counted = of !== null && isNullable(of, parts.columns) ? of : null
    return state(
      key('count', counted, where),
      () => new CountState(counted === null ? null : nullTest(counted, slotOf), whereOf(where)),
    )
  }
  // The operators ask the first state which groups hold records.
  countOf(null, null)
  const sum = (of: Expression, where: Expression | null): { state: number; count: number; scale: number } => {
    const type = typeOf(of)
    if (!isExact(type)) return refuse(parts, `a sum of ${type.kind}`, 'Sum whole numbers, decimals or money')
    const summed = state(
      key('sum', of, where),
      () => new SumState(lowerNumbers(of, slotOf), whereOf(where), parts.keyOf),
    )
    const count = where !== null || isNullable(of, parts.columns) ? countOf(of, where) : -1
    return { state: summed, count, scale: scaleOf(type) }
  }
  const extreme = (which: 'min' | 'max', of: Expression, where: Expression | null): number =>
    state(
      key(which, of, where),
      () => new ExtremeState(which, lowerNumbers(of, slotOf), whereOf(where), places, sliding !== null),
    )
  const distinct = (of: Expression, where: Expression | null): number =>
    state(key('count-distinct', of, where), () => {
      const counted = countedOf(parts, of, slotOf)
      if (parts.overMoments) return new RangeDistinct(counted, whereOf(where))
      if (sliding === null) return new PaneDistinct(counted, whereOf(where), places)
      return new SlidingDistinct(counted, whereOf(where), sliding, parts.grouped)
    })
  const picked = (which: Picked, of: Expression, by: Expression | null, where: Expression | null): AggregateSource => {
    const text = isText(of) ? textOf(parts, of) : null
    const textBy = by !== null && isText(by) ? textOf(parts, by) : null
    const picks = state(JSON.stringify([which, of, by, where]), () => {
      const sign = which === 'min' ? -1 : 1
      const settings: PickSettings = {
        of: text === null ? lowerNumbers(of, slotOf) : idNumbers(idsOf(text.slot)),
        by: by === null ? null : textBy === null ? lowerNumbers(by, slotOf) : idNumbers(idsOf(textBy.slot)),
        texts:
          textBy === null
            ? null
            : {
                column: textBy.dictionary.name,
                compare: (a, b) => compareText(textBy.dictionary.of.valueOf(a), textBy.dictionary.of.valueOf(b)) * sign,
              },
        where: whereOf(where),
        pick: which === 'last' ? 'latest' : 'earliest',
        column: text?.dictionary.name ?? null,
      }
      return new PickState(settings, places, sliding !== null)
    })
    return text === null
      ? { from: 'state', state: picks, count: -1 }
      : { from: 'text', state: picks, dictionary: text.dictionary.of }
  }
  /** A number that divides, or is divided by, another. */
  const exact = (aggregate: Aggregation): { state: number; count: number; scale: number } => {
    switch (aggregate.function) {
      case 'count':
        return { state: countOf(aggregate.of, aggregate.where), count: -1, scale: 0 }
      case 'count-distinct':
        return { state: distinct(aggregate.of, aggregate.where), count: -1, scale: 0 }
      case 'sum':
        return sum(aggregate.of, aggregate.where)
      case 'min':
      case 'max': {
        const { of, where, function: which } = aggregate
        const type = typeOf(of)
        if (isExact(type)) return { state: extreme(which, of, where), count: -1, scale: scaleOf(type) }
        return refuse(parts, `'${which}' of ${type.kind} in a ratio`, 'Divide whole numbers, decimals or money')
      }
      default:
        return refuse(
          parts,
          `'${aggregate.function}' in a ratio`,
          'Divide counts, sums, distinct counts, minima and maxima',
        )
    }
  }
  const sources: AggregateSource[] = []
  for (const { aggregate } of parts.aggregates) {
    switch (aggregate.function) {
      case 'count':
        sources.push({ from: 'state', state: countOf(aggregate.of, aggregate.where), count: -1 })
        break
      case 'sum': {
        const made = sum(aggregate.of, aggregate.where)
        sources.push({ from: 'state', state: made.state, count: made.count })
        break
      }
      case 'min':
      case 'max': {
        const { of, where, function: which } = aggregate
        sources.push(
          isText(of) ? picked(which, of, of, where) : { from: 'state', state: extreme(which, of, where), count: -1 },
        )
        break
      }
      case 'count-distinct':
        sources.push({ from: 'state', state: distinct(aggregate.of, aggregate.where), count: -1 })
        break
      case 'ratio': {
        const over = exact(aggregate.numerator)
        const under = exact(aggregate.denominator)
        const shift = aggregate.scale - over.scale + under.scale
        sources.push({ from: 'ratio', numerator: over.state, denominator: under.state, count: over.count, shift })
        break
      }
      case 'first':
      case 'last':
        sources.push(picked(aggregate.function, aggregate.of, null, aggregate.where))
        break
      case 'argmax':
        sources.push(picked('argmax', aggregate.of, aggregate.by, aggregate.where))
        break
      case 'variance': {
        const { of, where } = aggregate
        const scale = scaleOf(typeOf(of))
        const made = state(
          key('variance', of, where),
          () => new VarianceState(lowerNumbers(of, slotOf), scale, whereOf(where)),
        )
        sources.push({ from: 'state', state: made, count: -1 })
        break
      }
      case 'quantile': {
        const { of, where, fraction } = aggregate
        const type = typeOf(of)
        const scale = isExact(type) ? scaleOf(type) : null
        // Several fractions read one sketch.
        const sketch = shared(key('quantile', of, where), () => {
          const made = new QuantileState(lowerNumbers(of, slotOf), scale, whereOf(where))
          states.push(made)
          return made
        })
        sources.push({ from: 'float', read: (place, index) => sketch.quantile(fraction, place, index) })
        break
      }
      default:
        unreachable(aggregate)
    }
  }
  return { states, sources }
}

/** Which of the records is picked. */
type Picked = 'first' | 'last' | 'argmax' | 'min' | 'max'

function isExact(type: FieldType): type is Extract<FieldType, { kind: 'int64' | 'decimal' | 'money' }> {
  return type.kind === 'int64' || type.kind === 'decimal' || type.kind === 'money'
}
function scaleOf(type: FieldType): number {
  return type.kind === 'decimal' || type.kind === 'money' ? type.scale : 0
}

function refuse(parts: AggregateParts, what: string, cure: string): never {
  throw new PlanError(parts.plan.name, parts.at, `${what} does not run in this engine`, cure)
}

function textOf(
  parts: AggregateParts,
  of: Expression,
): { readonly slot: number; readonly dictionary: NonNullable<Place['dictionary']> } {
  if (of.op !== 'column')
    return refuse(parts, 'an aggregate of a computed text', 'Derive it first, and aggregate that column')
  const { slot, dictionary } = parts.placeOf(of.name)
  assert(dictionary !== null, `column '${of.name}' has a dictionary`)
  return { slot, dictionary }
}
function countedOf(parts: AggregateParts, of: Expression, slotOf: (name: string) => number): Counted {
  if (isText(of)) {
    const { slot, dictionary } = textOf(parts, of)
    return { column: dictionary.name, ids: idsOf(slot) }
  }
  const numbers = numberDictionary(parts)
  return { column: numbers.name, ids: numberIds(lowerNumbers(of, slotOf), numbers.dictionary) }
}

function nullTest(of: Expression, slotOf: (name: string) => number): (batch: Batch) => (row: number) => boolean {
  if (isText(of)) {
    const nulls = lowerNumbers({ op: 'is-null', of }, slotOf)
    return (batch) => {
      const values = nulls(batch)
      return (row) => values[row] === 1
    }
  }
  const numbers = lowerNumbers(of, slotOf)
  return (batch) => {
    const values = numbers(batch)
    return (row) => Number.isNaN(values[row]!)
  }
}

export function numberDictionary(parts: Pick<AggregateParts, 'numbers'>): {
  readonly name: string
  readonly dictionary: Dictionary<number>
} {
  const made = { name: `number ${parts.numbers.length}`, dictionary: new Dictionary<number>() }
  parts.numbers.push(made)
  return made
}
export function idsOf(slot: number): (batch: Batch) => Int32Array {
  return (batch) => {
    const column = batch.columns[slot]!
    assert(column.kind === 'id', 'a text column that is grouped or counted comes by id')
    return column.values
  }
}
