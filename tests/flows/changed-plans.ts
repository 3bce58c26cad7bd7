// Plans of the catalogue as a later release would have them: the same names, so that a flow can `upgrade` to them.
import type { Plan } from '../../src/query/plan.ts'
import { count, from, minutes, seconds, sum, tumbling } from '../../src/query/query.ts'
import { sales } from './plans.ts'

const tumblingOf = (sizeMs: number) => from(sales).window(tumbling({ sizeMs }))

export const changed: ReadonlyMap<string, Plan> = new Map([
  // Another size of its windows.
  [
    'per-minute@halves',
    tumblingOf(seconds(30))
      .aggregate((s) => ({ n: count(), revenue: sum(s.price) }))
      .named('per-minute'),
  ],
  // One more column.
  [
    'per-minute@pieces',
    tumblingOf(minutes(1))
      .aggregate((s) => ({ n: count(), revenue: sum(s.price), pieces: sum(s.quantity) }))
      .named('per-minute'),
  ],
])
