// The door of scale-out: the same Plan as Flink SQL, as text. Who submits it talks to the cluster.
import type { Plan } from '../query/plan.ts'
import { planSql } from './plan-sql.ts'

export interface FlinkSettings {
  /** Kafka's bootstrap servers as Flink's task managers see them. Default: 127.0.0.1:9092. */
  readonly brokers?: string
}
export interface FlinkSql {
  /** Options of the session: set them when it is opened, or as `SET 'name' = 'value'`. They change what results mean. */
  readonly options: Readonly<Record<string, string>>
  /** Source, steps as views, sink: temporary, so a session must replay them before the INSERT. In this order. */
  readonly ddl: readonly string[]
  /** Starts the job. */
  readonly insert: string
}

/**
 * The Plan for Flink 2.2 and its Kafka connector. Windows fire once, when the watermark (event time minus bound and
 * lateness) passes their end; what is later than that Flink drops. Rows and keys are written as the engine writes them,
 * to the same topic. Throws a `PlanError` that names what has no Flink SQL. What broken records become: `source-sql.ts`.
 */
export function flinkSql(plan: Plan, settings: FlinkSettings = {}): FlinkSql {
  return planSql(plan, settings.brokers ?? '127.0.0.1:9092')
}
