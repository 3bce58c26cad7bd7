// What each topic of the log leaves in the lake: events bronze and silver, results gold, everything else as received.
import { contracts, pipelines } from '../commerce/commerce.ts'
import { resultTopic } from '../connect/connect.ts'
import type { Contract, Field } from '../query/contract.ts'
import type { Plan } from '../query/plan.ts'
import type { LakeTopic } from '../stores/stores.ts'

/** Results that are events again, cleaned and enriched: they belong to silver. */
const enriched: ReadonlySet<string> = new Set(['orders-enriched', 'orders_enriched', 'processed-orders'])

let byResult: ReadonlyMap<string, Plan> | null = null

export function lakeTopicOf(topic: string): LakeTopic | null {
  // Marks of the house for itself.
  if (topic.endsWith('.dirty')) return null
  const contract = contracts.get(topic)
  if (contract !== undefined && contract.origin !== 'result')
    return { topic, bronze: true, typed: { layer: 'silver', contract, rows: 'valid' } }
  byResult ??= new Map([...pipelines.values()].map(({ plan }) => [resultTopic(plan), plan]))
  const plan = byResult.get(topic)
  const columns = plan === undefined ? timed(contract) : contractOf(plan, topic)
  if (columns === null) return { topic, bronze: true, typed: null }
  const layer = enriched.has(topic) ? 'silver' : 'gold'
  return { topic, bronze: false, typed: { layer, contract: columns, rows: 'all' } }
}

/** A contract whose event time is one, not seconds in a number. */
const timed = (contract: Contract | undefined): Contract | null =>
  contract?.fields[contract.eventTime]?.type.kind === 'timestamp' ? contract : null

/** The columns of a Plan's rows as a contract; null where they have no time as text. */
function contractOf(plan: Plan, topic: string): Contract | null {
  const node = plan.nodes.at(-1)
  if (node === undefined || !plan.output.times.startsWith('iso')) return null
  const fields: Record<string, Field> = Object.fromEntries(
    node.columns.map(({ name, type }) => [name, { type, nullable: true, doc: '' }]),
  )
  const { finalColumn } = plan.output
  if (finalColumn !== null) fields[finalColumn] = { type: { kind: 'bool' }, nullable: true, doc: '' }
  fields.timing = { type: { kind: 'string' }, nullable: true, doc: '' }
  // The day a window begins, not the midnight it ends at.
  const time = ['window_start', node.time, 'window_end'].find(
    (one) => one !== null && one !== undefined && fields[one]?.type.kind === 'timestamp',
  )
  if (time === null || time === undefined) return null
  return {
    topic,
    version: 1,
    partitions: 1,
    key: time,
    eventTime: time,
    outOfOrderMs: 0,
    idleTimeoutMs: 0,
    // Windows may end in the future of the moment they were written.
    futureLimitMs: 400 * 24 * 3600_000,
    origin: 'result',
    fields,
    doc: '',
  }
}
