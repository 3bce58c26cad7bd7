// `millrace sql`: one question in SQL, answered by a running Millrace or by the data directory itself.
import { readFileSync } from 'node:fs'
import { type Define, examples } from './command.ts'
import { CommandError, exitCodes } from './errors.ts'
import type { Row } from './output.ts'
import { askJson, notOurVersion, notRunning, runningUrl, type Where } from './server.ts'
import { dataDirOf, realWorld, terminalOutput } from './terminal.ts'

interface Flags extends Where {
  readonly file?: string
}

export const define: Define = (command, act) => {
  command
    .description(
      'Ask one question in SQL: lake.* are the Parquet files (lake.silver_sales), topic.* the newest 10,000 records of a topic, live.* the figures of the page. Read-only: one SELECT, five seconds, 256 MiB, 10,000 rows. A running Millrace answers if it was started with --sql.',
    )
    .argument('[statement]', 'a SELECT, or EXPLAIN of one')
    .option('-f, --file <path>', 'take the statement from a file; - is standard input')
    .option('--url <address>', 'of the Millrace to ask (default: the one that holds the data directory)')
    .option(
      '--data-dir <folder>',
      'the data, or the Millrace that runs on it (default: MILLRACE_DATA_DIR or ./.millrace)',
    )
    .action(
      act(async (globals, parsed) => {
        const out = terminalOutput(globals)
        const flags = parsed.opts<Flags>()
        const sql =
          flags.file === undefined ? parsed.args[0] : readFileSync(flags.file === '-' ? 0 : flags.file, 'utf8')
        if (sql === undefined || sql.trim() === '')
          throw new CommandError(exitCodes.usage, {
            what: 'there is no statement',
            cure: "millrace sql 'SELECT count(*) FROM lake.silver_sales'",
          })
        const url = await runningUrl(flags)
        const answer = url === null ? await fromData(sql, flags) : await fromServer(sql, url)
        const names = answer.columns.map(({ name }) => name)
        out.table(
          answer.columns.map(({ name, type }) => ({ name, alignRight: /INT|DECIMAL|DOUBLE|FLOAT/.test(type) })),
          answer.rows.map(
            (row): Row => Object.fromEntries(names.map((name, i): [string, Row[string]] => [name, cell(row[i])])),
          ),
        )
        if (answer.truncated) out.say('there are more rows than are handed out')
        return undefined
      }),
    )
  examples(command, [
    ["millrace sql 'SELECT * FROM live.top_products'", 'as the page has them'],
    ["millrace sql 'SELECT nm_category, count(*) FROM topic.sales GROUP BY ALL'", 'of the newest records'],
    ['millrace sql -f question.sql --json', 'from a file, as JSON'],
  ])
}

interface Answer {
  readonly columns: readonly { readonly name: string; readonly type: string }[]
  readonly rows: readonly (readonly unknown[])[]
  readonly truncated: boolean
}
function cell(value: unknown): Row[string] {
  if (value === null || value === undefined) return null
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? value
    : JSON.stringify(value)
}

async function fromServer(sql: string, url: string): Promise<Answer> {
  const [{ sqlAnswer }, body] = await Promise.all([
    import('../serve/contract.ts'),
    askJson(url, '/api/v1/sql', { post: { sql } }).catch((error: unknown) => {
      if (error instanceof CommandError && error.exitCode === exitCodes.notFound)
        throw new CommandError(exitCodes.refused, {
          what: 'this Millrace does not answer SQL',
          where: url,
          cause: 'it was started without --sql',
          cure: 'start it with: millrace start --sql',
        })
      throw error
    }),
  ])
  const answer = sqlAnswer.safeParse(body)
  if (answer.success) return answer.data
  throw notOurVersion(`${url}/api/v1/sql`, answer.error.issues[0]?.message)
}

async function fromData(sql: string, flags: Where): Promise<Answer> {
  const dataDir = dataDirOf(flags.dataDir)
  const world = await realWorld()
  if (world.fs.stat(dataDir) === null) throw notRunning(flags, 'millrace sql')
  const { askStopped } = await import('../platform/sql.ts')
  const answer = await askStopped(world, dataDir, sql)
  if ('refused' in answer)
    throw new CommandError(exitCodes.refused, {
      what: 'this statement is not run',
      value: sql.slice(0, 200),
      cause: answer.refused,
    })
  return answer
}
