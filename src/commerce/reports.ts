// Reports: a Plan over all of a topic, and how each row of its final table reads for people.
import type { Plan } from '../query/plan.ts'
import { dividedHalfAway } from '../std/decimal.ts'
import { instantText } from '../std/instant.ts'
import { monthlyRevenue } from './pipelines/monthly-revenue.ts'

/** Timestamps in ms since the epoch, money and decimals in minor units of the column's scale. */
export type ReportRow = Readonly<Record<string, string | number | boolean | null>>
export type ReportColumn =
  | { readonly name: string; readonly type: 'text' | 'integer' | 'number' | 'boolean' | 'time' }
  | { readonly name: string; readonly type: 'money'; readonly currency: string; readonly scale: number }

export interface Report {
  readonly name: string
  /** A sentence for people. */
  readonly doc: string
  readonly plan: Plan
  /** Of the report's rows. */
  readonly columns: readonly ReportColumn[]
  /** One row of the Plan's final table as one row of the report. */
  readonly row: (planRow: ReportRow) => ReportRow
}

const poundScale = 2
const thousandthScale = 3

export const monthlyRevenueReport: Report = {
  name: monthlyRevenue.name,
  doc: 'Gross sales of the online-retail wholesaler per calendar month, pounds: no cancellation, quantity and price above zero.',
  plan: monthlyRevenue,
  columns: [
    { name: 'month', type: 'text' },
    { name: 'gross', type: 'money', currency: 'GBP', scale: poundScale },
  ],
  row: ({ window_start, gross }) => ({
    month: instantText(Number(window_start)).slice(0, 7),
    // Summed exactly in thousandths, rounded once.
    gross: Number(dividedHalfAway(BigInt(Number(gross)), 1n, poundScale - thousandthScale)),
  }),
}
