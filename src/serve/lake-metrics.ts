// What `/metrics` shows of the lake and of how far the live figures agree with it.
import type { Family, Sample } from './broker-metrics.ts'
import type { ServePorts } from './ports.ts'

export function lakeGauges({ lake, reconciliation }: ServePorts): readonly Family[] {
  const layers = () => lake?.status().layers ?? []
  const byTopic = (value: (layer: ReturnType<typeof layers>[number]) => number): readonly Sample[] =>
    layers().map((one) => [{ layer: one.layer, topic: one.topic }, value(one)])
  return [
    ...(lake
      ? ([
          [
            'millrace_lake_records_behind',
            'Records of the log that are not in the lake yet.',
            [],
            () => [[{}, lake.status().recordsBehind]],
          ],
          [
            'millrace_lake_files',
            'Parquet files of the manifest.',
            ['layer', 'topic'],
            () => byTopic(({ files }) => files),
          ],
          ['millrace_lake_rows', 'Rows in them.', ['layer', 'topic'], () => byTopic(({ rows }) => rows)],
          ['millrace_lake_bytes', 'Bytes of them.', ['layer', 'topic'], () => byTopic(({ bytes }) => bytes)],
        ] satisfies Family[])
      : []),
    ...(reconciliation
      ? ([
          [
            'millrace_reconciliation_rows',
            'Rows of closed windows that the last comparison of a figure held against a batch over the lake.',
            ['figure'],
            () => reconciliation.state().map(({ figure, rows }) => [{ figure }, rows]),
          ],
          [
            'millrace_reconciliation_differences',
            'Of these, rows that differ. Anything but 0 is a fault.',
            ['figure'],
            () => reconciliation.state().map(({ figure, differences }) => [{ figure }, differences]),
          ],
        ] satisfies Family[])
      : []),
  ]
}
