// `millrace run`: any pipeline over files, without a broker; the rows are final, as if all time had passed.
import { formatCount, formatDuration } from './amounts.ts'
import { type Define, examples } from './command.ts'
import { exitCodes } from './errors.ts'
import { mustExist } from './files.ts'
import { pipelineNamed } from './names.ts'
import { clean } from './output.ts'
import { rowsOutput } from './rows-output.ts'
import { stdinUntilStopped, watchSignals } from './stopping.ts'
import { realWorld, terminalOutput } from './terminal.ts'

interface Flags {
  readonly input: string
  readonly output: string
  readonly strict?: true
}

export const define: Define = (command, act) => {
  command
    .description(
      'Run a pipeline over files of JSON lines: rows as JSON lines on the output, counts and rejected lines on stderr, whose last line is one JSON document.',
    )
    .argument('<pipeline>', 'its name (millrace pipelines ls)')
    .requiredOption('--input <path>', 'a file, a folder (its *.ndjson by name), or - for stdin')
    .option('--output <file>', 'a file (replaced when the rows are complete), or - for stdout', '-')
    .option('--strict', 'exit code 1 if any line was rejected')
    .action(
      act(async (globals, parsed) => {
        const { input, output, strict } = parsed.opts<Flags>()
        const out = terminalOutput(globals)
        const pipeline = await pipelineNamed(parsed.args[0] ?? '', 'millrace run')
        if (input !== '-') mustExist(input, 'input')
        const stopping = watchSignals(out)
        const rows = rowsOutput(output)
        const startedMs = performance.now()
        try {
          const [{ rejectsNamedDefault, runPipeline }, { ndjsonFiles }, world] = await Promise.all([
            import('../connect/run-pipeline.ts'),
            import('../connect/ndjson-source.ts'),
            realWorld(),
          ])
          const summary = await runPipeline(world, {
            plan: pipeline.plan,
            input:
              input === '-'
                ? { name: 'stdin', chunks: stdinUntilStopped(stopping) }
                : { files: ndjsonFiles(world, input) },
            output: rows.write,
            onReject: ({ file, line, message }) => out.warn(`rejected ${clean(file)} line ${line}: ${clean(message)}`),
            onProgress: ({ read, rejected }) =>
              out.progress(
                `${formatCount(read)} read, ${formatCount(rejected)} rejected, ${perSecond(read, performance.now() - startedMs)}`,
              ),
            signal: stopping.signal,
          })
          stopping.check()
          rows.commit()
          const { read, rejected, seconds } = summary
          out.progress('')
          if (rejected > rejectsNamedDefault)
            out.warn(`… and ${formatCount(rejected - rejectsNamedDefault)} more rejects, counted but not named`)
          out.say(
            `${formatCount(read)} read, ${formatCount(rejected)} rejected, ${formatCount(summary.rows)} rows in ${formatDuration(seconds * 1_000)} (${perSecond(read, seconds * 1_000)})`,
          )
          out.warn(JSON.stringify({ read, rejected, rows: summary.rows, seconds: Number(seconds.toFixed(3)) }))
          return strict && rejected > 0 ? exitCodes.failed : exitCodes.ok
        } finally {
          rows.abandon()
        }
      }),
    )
  examples(command, [
    ['millrace run sales-window --input sales.ndjson', 'rows to stdout'],
    ['millrace run product-metrics --input orders/ --output metrics.ndjson', 'all files of a folder'],
    ['zcat sales.ndjson.gz | millrace run sales-window --input - --strict', 'from a pipe; fails if a line is bad'],
  ])
}

const perSecond = (count: number, ms: number): string =>
  `${formatCount(Math.round((count / Math.max(ms, 1)) * 1_000))} records/s`
