// What comes late, by marketplace and class of delay, and how sound the data of each topic are.
import type { Contract } from '../../query/contract.ts'
import { integer, number, type Report, text, within } from './report.ts'

export const lateArrivalsReport: Report = {
  name: 'late-arrivals',
  doc: 'Sales of the marketplaces by how long after the sale they came: within the hour, 6, 24, 48 hours, later.',
  reads: [{ layer: 'silver', topic: 'marketplace-sales' }],
  columns: [
    text('day'),
    text('marketplace'),
    text('delay'),
    integer('sales'),
    number('share'),
    number('mean_hours'),
    number('max_hours'),
  ],
  sql: `WITH delayed AS (
  SELECT transaction_time::DATE AS day, marketplace, greatest(0, epoch_ms(_arrival) - epoch_ms(transaction_time)) / 3600000 AS hours
  FROM lake.silver_marketplace_sales WHERE ${within('transaction_time')}
), classed AS (
  SELECT *, CASE WHEN hours < 1 THEN 'immediate' WHEN hours < 6 THEN 'short' WHEN hours < 24 THEN 'medium'
    WHEN hours < 48 THEN 'long' ELSE 'critical' END AS delay
  FROM delayed
)
SELECT strftime(day, '%Y-%m-%d'), marketplace, delay, count(*), count(*) / sum(count(*)) OVER (PARTITION BY day, marketplace),
  avg(hours), max(hours)
FROM classed GROUP BY day, marketplace, delay ORDER BY day, marketplace, min(hours)`,
  period: 'day',
  schedule: '25 * * * *',
}

/** For all topics that producers write. */
export function dataQualityReport(contracts: Iterable<Contract>): Report {
  const topics = [...contracts].filter(({ origin }) => origin !== 'result').map(({ topic }) => topic)
  const table = (layer: string, topic: string): string => `lake.${layer}_${topic.replaceAll(/[^a-z0-9]/g, '_')}`
  const counts = topics.map(
    (topic) =>
      `SELECT '${topic}' AS topic, _arrival::DATE AS day, count(*) AS records, 0 AS valid, 0 AS dead, max(_arrival) AS newest\n` +
      `FROM ${table('bronze', topic)} WHERE ${within('_arrival')} GROUP BY day\n` +
      `UNION ALL SELECT '${topic}', _arrival::DATE, 0, count(*), 0, NULL FROM ${table('silver', topic)} WHERE ${within('_arrival')} GROUP BY ALL\n` +
      `UNION ALL SELECT '${topic}', _arrival::DATE, 0, 0, count(*), NULL FROM ${table('bronze', `${topic}.dlq`)} WHERE ${within('_arrival')} GROUP BY ALL`,
  )
  return {
    name: 'data-quality',
    doc: 'Of each topic and day of arrival: records, how many are valid and the first of their kind, how many went to the dead letters.',
    reads: topics.flatMap((topic) => [
      { layer: 'bronze' as const, topic },
      { layer: 'silver' as const, topic },
      { layer: 'bronze' as const, topic: `${topic}.dlq` },
    ]),
    columns: [
      text('topic'),
      text('day'),
      integer('records'),
      integer('valid'),
      integer('repeated'),
      integer('dead_lettered'),
      number('valid_share'),
      { name: 'newest', type: 'time' },
    ],
    sql: `SELECT topic, strftime(day, '%Y-%m-%d'), sum(records)::BIGINT, sum(valid)::BIGINT,
  greatest(0, sum(records) - sum(valid) - sum(dead))::BIGINT, sum(dead)::BIGINT, sum(valid) / nullif(sum(records), 0), max(newest)
FROM (
${counts.join('\nUNION ALL ')}
) GROUP BY topic, day ORDER BY topic, day`,
    period: 'day',
    schedule: '35 * * * *',
  }
}
