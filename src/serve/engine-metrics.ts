// Figures of the engine for Prometheus: what each operator has done and holds, and what each job waits for.
import type { Family, Sample } from './broker-metrics.ts'
import type { EngineMetrics, JobLine, OperatorLine } from './ports.ts'

const operatorLabels = ['pipeline', 'operator', 'kind']

export function engineGauges(engine: () => EngineMetrics): readonly Family[] {
  return [
    [
      'millrace_operator_state_bytes',
      'State that an operator holds.',
      operatorLabels,
      () => ofOperators(engine, ({ stateBytes }) => stateBytes),
    ],
    [
      'millrace_operator_watermark_lag_seconds',
      'Wall time less the event time up to which an operator has given out.',
      operatorLabels,
      () => ofOperators(engine, ({ lagMs }) => (lagMs === null ? null : lagMs / 1000)),
    ],
    ['millrace_job_state_bytes', 'State of a job.', ['job'], () => ofJobs(engine, ({ stateBytes }) => stateBytes)],
    [
      'millrace_job_shards',
      'Worker threads that read partitions for a job now; 0: its own thread does.',
      ['job'],
      () => ofJobs(engine, ({ shards }) => shards),
    ],
    [
      'millrace_job_queued_bytes',
      'Read from the log, on the way through worker threads.',
      ['job'],
      () => ofJobs(engine, ({ queuedBytes }) => queuedBytes),
    ],
    [
      'millrace_job_output_pending_bytes',
      'Due results that no commit has taken yet.',
      ['job'],
      () => ofJobs(engine, ({ pendingOutputBytes }) => pendingOutputBytes),
    ],
  ]
}
export function engineCounters(engine: () => EngineMetrics): readonly Family[] {
  return [
    [
      'millrace_operator_rows_total',
      "Rows an operator took in on its job's own thread since the start; worker threads gather others for it.",
      operatorLabels,
      () => ofOperators(engine, ({ rowsIn }) => rowsIn),
    ],
    [
      'millrace_operator_busy_seconds_total',
      "Time an operator worked on its job's own thread since the start.",
      operatorLabels,
      () => ofOperators(engine, ({ busyMs }) => busyMs / 1000),
    ],
    [
      'millrace_job_read_bytes_total',
      'Record batches that a job has read since the start.',
      ['job'],
      () => ofJobs(engine, ({ batchBytes }) => batchBytes),
    ],
    [
      'millrace_job_busy_seconds_total',
      'Time a job worked on its own thread since the start.',
      ['job'],
      () => ofJobs(engine, ({ busyMs }) => busyMs / 1000),
    ],
  ]
}

function ofOperators(engine: () => EngineMetrics, value: (line: OperatorLine) => number | null): Sample[] {
  return engine().operators.flatMap((line): Sample[] => {
    const found = value(line)
    return found === null ? [] : [[{ pipeline: line.pipeline, operator: line.operator, kind: line.kind }, found]]
  })
}
function ofJobs(engine: () => EngineMetrics, value: (line: JobLine) => number): Sample[] {
  return engine().jobs.map((line): Sample => [{ job: line.job }, value(line)])
}
