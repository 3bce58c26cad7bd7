// `millrace explain`: how a pipeline is computed, in all its forms: the Plan, its graph, Flink SQL, DuckDB SQL.
import { Option } from 'commander'
import type { FlinkSql } from '../flink/flink.ts'
import type { Plan } from '../query/plan.ts'
import { type Define, examples } from './command.ts'
import { pipelineNamed } from './names.ts'
import type { Output } from './output.ts'
import { terminalOutput } from './terminal.ts'

const forms = ['plan', 'flink', 'duckdb'] as const
type PlanForm = (typeof forms)[number]

export const define: Define = (command, act) => {
  command
    .description(
      'Show how a pipeline is computed: its Plan, from the result down to the topics it reads; the graph of its operators; and the same as Flink SQL and as DuckDB SQL over a file of its topic.',
    )
    .argument('<pipeline>', 'its name (millrace pipelines ls)')
    .addOption(new Option('--form <which>', 'only one of them').choices([...forms]))
    .action(
      act(async (globals, parsed) => {
        const out = terminalOutput(globals)
        const [{ plan }, { explain }, { flinkSql }, { duckdbSql }] = await Promise.all([
          pipelineNamed(parsed.args[0] ?? '', 'millrace explain'),
          import('../query/query.ts'),
          import('../flink/flink.ts'),
          import('../stores/stores.ts'),
        ])
        const form = chosen(parsed.opts().form)
        const flink = form === 'plan' ? '' : attempt(form, () => flinkSql(plan))
        const files = Object.keys(plan.contracts).map((topic) => `${topic}.ndjson`)
        const duckdb = form === 'plan' ? '' : attempt(form, () => duckdbSql(plan, { format: 'ndjson', files }))
        printForms(out, plan, form, { text: explain(plan).trimEnd(), flink, duckdb })
        return undefined
      }),
    )
  examples(command, [
    ['millrace explain sales-window', 'the operators, their columns and keys; then both kinds of SQL'],
    ['millrace explain sales-window --form duckdb > sales-window.sql', 'what DuckDB computes over sales.ndjson, alone'],
    ['millrace explain sales-window --json', 'plan, graph, flink and duckdb as one JSON document'],
  ])
}

function chosen(given: unknown): PlanForm | null {
  return forms.find((form) => form === given) ?? null
}

/** What the Plan has no SQL for is a sentence among the other forms, and an error when it is all that was asked for. */
function attempt<T>(form: PlanForm | null, make: () => T): T | Error {
  try {
    return make()
  } catch (error) {
    if (form !== null || !(error instanceof Error)) throw error
    return error
  }
}

interface Forms {
  readonly text: string
  readonly flink: FlinkSql | Error | ''
  readonly duckdb: string | Error
}

function printForms(out: Output, plan: Plan, form: PlanForm | null, forms: Forms): void {
  if (out.form === 'json' || out.form === 'ndjson') {
    const whole = {
      name: plan.name,
      plan,
      graph: graphOf(plan),
      flink: inJson(forms.flink),
      duckdb: inJson(forms.duckdb),
    }
    const picked = form === null ? whole : { name: plan.name, [form]: whole[form] }
    out.print(JSON.stringify(picked, null, out.form === 'json' ? 2 : undefined))
    return
  }
  const parts = {
    plan: forms.text,
    flink: flinkText(forms.flink),
    duckdb: duckdbText(forms.duckdb),
  }
  if (form !== null) {
    out.print(parts[form])
    return
  }
  const title = (text: string): string => `\n${out.style('bold', `-- ${text}`)}\n`
  out.print(
    [
      parts.plan,
      title('graph'),
      graphText(plan),
      title('Flink SQL'),
      parts.flink,
      title('DuckDB SQL'),
      parts.duckdb,
    ].join('\n'),
  )
}

/** Each operator below those it reads from. */
function graphText(plan: Plan): string {
  const shown = ({ kind, id }: { readonly kind: string; readonly id: string }): string => `${kind} #${id}`
  return graphOf(plan)
    .map((node) =>
      node.inputs.length === 0 ? shown(node) : `${node.inputs.map((id) => `#${id}`).join(', ')} -> ${shown(node)}`,
    )
    .join('\n')
}
function graphOf(plan: Plan): { readonly id: string; readonly kind: string; readonly inputs: readonly string[] }[] {
  return plan.nodes.map(({ id, kind, inputs }) => ({ id, kind, inputs }))
}
function inJson<T>(form: T | Error): T | { readonly refused: string } {
  return form instanceof Error ? { refused: form.message } : form
}
const refusal = (error: Error): string => `-- ${error.message}`

function flinkText(flink: Forms['flink']): string {
  if (flink instanceof Error) return refusal(flink)
  if (flink === '') return flink
  const settings = Object.entries(flink.options).map(([option, value]) => `SET '${option}' = '${value}';`)
  return [settings.join('\n'), ...flink.ddl.map((statement) => `${statement};`), `${flink.insert};`].join('\n\n')
}
function duckdbText(duckdb: Forms['duckdb']): string {
  return duckdb instanceof Error ? refusal(duckdb) : `${duckdb};`
}
