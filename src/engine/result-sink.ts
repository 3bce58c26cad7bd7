// Rows of a Plan that ends in a step, or in its source, as result rows.
import type { PlanNode } from '../query/plan.ts'
import { type Batch, textAt } from './columns.ts'
import type { Place } from './operator.ts'
import type { ResultBuilder, TimingIndex } from './results.ts'

export function rowsToResults(
  node: PlanNode,
  placeOf: (name: string) => Place,
  results: ResultBuilder,
): (batch: Batch, rows: Int32Array, count: number) => void {
  const slots = node.columns.map(({ name }) => placeOf(name).slot)
  const key = node.changelog.mode === 'upsert' ? node.changelog.key : []
  const inKey = node.columns.map(({ name }) => key.includes(name))
  const set = (batch: Batch, row: number, index: number): void => {
    const column = batch.columns[slots[index]!]!
    if (column.kind === 'number') results.setNumber(index, column.values[row]!, column.high?.[row] ?? 0)
    else if (column.kind === 'text') results.setText(index, textAt(column, row))
    else if (column.kind === 'id') results.setId(index, column.values[row]!, column.dictionary)
  }
  return (batch, rows, count) => {
    const derived = batch.derived ?? null
    if (derived === null) {
      results.addRecords(batch.partition, batch.offsets, rows, count)
      for (let index = 0; index < slots.length; index++)
        results.setColumn(index, batch.columns[slots[index]!]!, rows, count, batch.rows)
      return
    }
    for (let i = 0; i < count; i++) {
      const row = rows[i]!
      const evidence = results.addEvidence(derived.offsets, derived.evidence[row]!)
      const timing = derived.timings[row] as TimingIndex
      if (derived.weights[row] === 1) results.addRow(timing, evidence)
      else results.addRetraction(timing, evidence)
      for (let index = 0; index < slots.length; index++)
        if (derived.weights[row] === 1 || inKey[index]) set(batch, row, index)
    }
  }
}
