// The figures of the page as tables for SQL.
import type { LiveFigures } from '../serve/live-figures.ts'
import type { LiveTables } from './sql.ts'

export function liveTables(figures: LiveFigures): LiveTables {
  const at = (ms: number): string => new Date(ms).toISOString().slice(0, -1)
  const amount = (minor: number): string => (minor / 10 ** figures.snapshot().scale).toFixed(figures.snapshot().scale)
  const times = { window_start: 'TIMESTAMP', window_end: 'TIMESTAMP' }
  return new Map([
    [
      'kpis',
      {
        columns: {
          ...times,
          timing: 'VARCHAR',
          sales: 'BIGINT',
          revenue: 'DECIMAL(18, 2)',
          average_ticket: 'DECIMAL(18, 2)',
          active_sellers: 'BIGINT',
          active_categories: 'BIGINT',
          active_products: 'BIGINT',
          biggest_sale: 'DECIMAL(18, 2)',
        },
        rows: () =>
          figures.snapshot().history.map((row) => ({
            window_start: at(row.windowStartMs),
            window_end: at(row.windowEndMs),
            timing: row.timing,
            sales: row.sales,
            revenue: amount(row.revenueMinor),
            average_ticket: amount(row.averageTicketMinor),
            active_sellers: row.activeSellers,
            active_categories: row.activeCategories,
            active_products: row.activeProducts,
            biggest_sale: amount(row.biggestSaleMinor),
          })),
      },
    ],
    [
      'series',
      {
        columns: { second: 'TIMESTAMP', sales: 'BIGINT', revenue: 'DECIMAL(18, 2)' },
        rows: () =>
          figures.snapshot().series.map(({ secondMs, sales, revenueMinor }) => ({
            second: at(secondMs),
            sales,
            revenue: amount(revenueMinor),
          })),
      },
    ],
    [
      'top_products',
      {
        columns: { rank: 'INTEGER', product: 'VARCHAR', sales: 'BIGINT', revenue: 'DECIMAL(18, 2)' },
        rows: () =>
          (figures.snapshot().topProducts ?? []).map(({ rank, product, sales, revenueMinor }) => ({
            rank,
            product,
            sales,
            revenue: amount(revenueMinor),
          })),
      },
    ],
    [
      'sales_events',
      {
        columns: {
          id: 'VARCHAR',
          kind: 'VARCHAR',
          direction: 'VARCHAR',
          status: 'VARCHAR',
          severity: 'VARCHAR',
          since: 'TIMESTAMP',
          observed: 'DOUBLE',
          expected: 'DOUBLE',
          growth: 'DOUBLE',
          confidence: 'DOUBLE',
          sentence: 'VARCHAR',
        },
        rows: () =>
          (figures.snapshot().salesEvents ?? []).map((event) => ({
            id: event.id,
            kind: event.kind,
            direction: event.direction,
            status: event.status,
            severity: event.severity,
            since: at(event.sinceMs),
            observed: event.observed,
            expected: event.expected,
            growth: event.growth,
            confidence: event.confidence,
            sentence: event.sentence,
          })),
      },
    ],
  ])
}
