// `/metrics` for Prometheus: figures are read from the ports at each scrape, nothing is counted on the way of a record.
// The library is loaded by the first scrape, so that a start does not pay for it.
import type { Registry } from '@prometheus-io/client'
import { z } from 'zod'
import { brokerCounters, brokerGauges, type Family, requestDurations, type Sample } from './broker-metrics.ts'
import { engineCounters, engineGauges } from './engine-metrics.ts'
import { lakeGauges } from './lake-metrics.ts'
import type { GroupLagLine, LedgerRow, MetricsPort } from './ports.ts'
import type { App, Serving } from './serving.ts'

export function metricsRoute(app: App, serving: Serving, metrics: MetricsPort): void {
  let registry: Promise<Registry> | null = null
  app.get(
    '/metrics',
    {
      schema: {
        tags: ['health'],
        summary: 'Figures for Prometheus',
        description: 'Text format 0.0.4. Base units, counters end in `_total`.',
        response: { 200: { content: { 'text/plain': { schema: z.string() } } } },
      },
    },
    async (_request, reply) => {
      registry ??= registryOf(serving, metrics)
      const filled = await registry
      const text = `${await filled.metrics()}\n${requestDurations(metrics.read().broker)}`
      reply.header('cache-control', 'no-store').header('content-type', filled.contentType).serializer(String)
      return text
    },
  )
}

async function registryOf({ hub, ports, version }: Serving, metrics: MetricsPort): Promise<Registry> {
  const { collectDefaultMetrics, Counter, Gauge, Registry } = await import('@prometheus-io/client')
  const registry = new Registry()
  const ledger = () => ports.figures?.status.status().ledger ?? []
  const one = (value: number): readonly Sample[] => [[{}, value]]
  const journal = () => metrics.read().journal
  const broker = () => metrics.read().broker
  const engine = () => metrics.read().engine
  // Several families of one scrape ask for the same lags.
  let asked: { readonly lags: Promise<readonly GroupLagLine[]> } | null = null
  const groups = (): Promise<readonly GroupLagLine[]> => {
    asked ??= { lags: metrics.groupLags().finally(() => queueMicrotask(() => (asked = null))) }
    return asked.lags
  }

  const gauges: readonly Family[] = [
    ['millrace_build_info', 'Always 1; which version runs.', ['version'], () => [[{ version }, 1]]],
    [
      'millrace_watermark_lag_seconds',
      'Wall time less the event time up to which a pipeline is complete.',
      ['pipeline'],
      () => metrics.read().watermarkLags.map(({ pipeline, lagMs }) => [{ pipeline }, lagMs / 1000]),
    ],
    [
      'millrace_ledger_imbalance',
      'Records that are neither processed, duplicate, late, dead-lettered nor in flight. Anything but 0 is a fault.',
      ['topic'],
      () => ledger().map((row) => [{ topic: row.topic }, imbalance(row)]),
    ],
    ['millrace_sse_clients', 'Live streams open now.', [], () => one(hub?.clients ?? 0)],
    ['millrace_journal_bytes', 'Size of the journal files.', [], () => one(journal().fileBytes)],
    ['millrace_journal_segments', 'Files of the journal.', [], () => one(journal().segments)],
    ['millrace_journal_pending_bytes', 'Taken and not yet durable.', [], () => one(journal().pendingBytes)],
    ...brokerGauges(broker, groups),
    ...engineGauges(engine),
    ...lakeGauges(ports),
  ]
  const counters: readonly Family[] = [
    [
      'millrace_events_ingested_total',
      'Records in the topic since it was created, whichever way they came.',
      ['topic'],
      () => metrics.read().ingested.map(({ topic, records }) => [{ topic }, records]),
    ],
    [
      'millrace_events_rejected_total',
      'Records that broke their contract since the start: dead-lettered, or turned away over HTTP.',
      ['topic', 'reason'],
      () => metrics.read().rejected.map(({ topic, reason, records }) => [{ topic, reason }, records]),
    ],
    [
      'millrace_late_events_total',
      'Records behind the allowed lateness since the topic was created; all of them are kept in the late topic.',
      ['topic', 'action'],
      () => ledger().map(({ topic, late }) => [{ topic, action: 'side_output' }, late]),
    ],
    [
      'millrace_sse_frames_conflated_total',
      'Rounds that slow live streams skipped.',
      [],
      () => one(hub?.conflated ?? 0),
    ],
    ['millrace_journal_writes_total', 'Writes to the journal since the start.', [], () => one(journal().writes)],
    ['millrace_journal_syncs_total', 'Syncs of the journal since the start.', [], () => one(journal().syncs)],
    ...brokerCounters(broker),
    ...engineCounters(engine),
  ]
  for (const [name, help, labelNames, samples] of gauges)
    new Gauge({
      name,
      help,
      labelNames: [...labelNames],
      registers: [registry],
      async collect() {
        const found = await samples()
        this.reset()
        for (const [labels, value] of found) this.set({ ...labels }, value)
      },
    })
  for (const [name, help, labelNames, samples] of counters)
    new Counter({
      name,
      help,
      labelNames: [...labelNames],
      registers: [registry],
      // The house counts; a counter here only repeats what it has counted so far.
      async collect() {
        const found = await samples()
        this.reset()
        for (const [labels, value] of found) this.inc({ ...labels }, value)
      },
    })
  collectDefaultMetrics({ register: registry })
  return registry
}

function imbalance(row: LedgerRow): number {
  return row.in - row.processed - row.duplicates - row.late - row.deadLettered - row.inFlight
}
