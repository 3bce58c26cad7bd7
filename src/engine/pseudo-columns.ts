// What every source has beside its contract's fields: `_partition`, `_offset` and `_arrival` (ms; null where a record
// has none, as in a file). Numbers, filled from the batch the rows came in.
import type { Contract } from '../query/contract.ts'
import { assert } from '../std/assert.ts'
import type { Batch } from './columns.ts'
import type { Projection } from './decoder.ts'
import type { SourceBatch } from './engine.ts'
import { grownFloats } from './int-set.ts'

const pseudoNames = ['_partition', '_offset', '_arrival'] as const
type PseudoName = (typeof pseudoNames)[number]

/** Null for a field of the contract, whatever its name. */
export function pseudoName(contract: Contract, name: string): PseudoName | null {
  return name in contract.fields ? null : (pseudoNames.find((pseudo) => pseudo === name) ?? null)
}

/** Fills those among the projections' columns once the rows are known. */
export function pseudoFiller(
  contract: Contract,
  projections: readonly Projection[],
): (batch: Batch, source: SourceBatch) => void {
  const wanted = projections.flatMap(({ name }, index) => {
    const pseudo = pseudoName(contract, name)
    return pseudo === null ? [] : [{ pseudo, index }]
  })
  return (batch, source) => {
    for (const { pseudo, index } of wanted) {
      const column = batch.columns[index]
      assert(column?.kind === 'number', `${pseudo} is a number`)
      const { rows, records } = batch
      column.values = grownFloats(column.values, rows)
      const { values } = column
      if (pseudo === '_partition') values.fill(source.partition, 0, rows)
      else if (pseudo === '_offset') for (let row = 0; row < rows; row++) values[row] = source.offsets[records[row]!]!
      else
        for (let row = 0; row < rows; row++) {
          const arrivalMs = source.arrivals[records[row]!]!
          values[row] = arrivalMs >= 0 ? arrivalMs : Number.NaN
        }
    }
  }
}
