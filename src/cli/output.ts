// What commands print: data to stdout, messages to stderr, in the form that the global flags ask for; colours only on
// a terminal. Whatever comes from outside is cleaned of control characters before a terminal sees it.
import { styleText } from 'node:util'

/** `text` is for people; the others for programs: one document, one document a line, tabs. */
export type Form = 'text' | 'json' | 'ndjson' | 'plain'

export interface Globals {
  readonly json?: boolean
  readonly ndjson?: boolean
  readonly plain?: boolean
  readonly quiet?: boolean
  readonly verbose?: boolean
  readonly color?: boolean
}

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan'

export interface Output {
  readonly form: Form
  readonly verbose: boolean
  /** Is a person looking at stderr (progress lines that overwrite themselves)? */
  readonly live: boolean
  /** Data: a line on stdout. */
  print(line: string): void
  /** A message: a line on stderr, not with --quiet. */
  say(line: string): void
  /** A detail: a line on stderr, only with --verbose. */
  detail(line: string): void
  /** Something the user should not miss, --quiet or not. */
  warn(line: string): void
  /** Replaces the last progress line (on a terminal), or prints one every two seconds at most. Empty text ends it. */
  progress(line: string): void
  style(style: Style, text: string): string
  /** Rows of a table in the form asked for. `json` prints `rows` whole as one document. */
  table(columns: readonly TableColumn[], rows: readonly Row[]): void
}
export type Row = Readonly<Record<string, string | number | boolean | null>>
export interface TableColumn {
  readonly name: string
  /** Over the column in text form; the name if not given. */
  readonly title?: string
  readonly alignRight?: boolean
  /** Decimals of its numbers in text and plain form. */
  readonly decimals?: number
}

/** How a stream looks from here; process.stdout and process.stderr fit, tests pass their own. */
export interface Sink {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string): unknown
}
export interface Surroundings {
  readonly stdout: Sink
  readonly stderr: Sink
  readonly env: Readonly<Record<string, string | undefined>>
  readonly nowMs: () => number
}

const progressMsMin = 2_000

/** NO_COLOR, FORCE_COLOR, TERM=dumb and --no-color, in the order of their weight; else colours on a terminal only. */
export function wantsColour(globals: Globals, env: Surroundings['env'], sink: Sink): boolean {
  if (globals.color === false || (env.NO_COLOR ?? '') !== '') return false
  if ((env.FORCE_COLOR ?? '') !== '') return env.FORCE_COLOR !== '0' && env.FORCE_COLOR !== 'false'
  return env.TERM !== 'dumb' && sink.isTTY === true
}

const escapeSequences = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|.)?/g
const controlCharacters = /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g

/** Removes what a terminal would obey: control characters and escape sequences. Tabs and line ends become spaces. */
export function clean(text: string): string {
  return text
    .replace(escapeSequences, '')
    .replace(/[\t\n\r]+/g, ' ')
    .replace(controlCharacters, '')
}

export function formOf(globals: Globals): Form {
  if (globals.json) return 'json'
  if (globals.ndjson) return 'ndjson'
  return globals.plain ? 'plain' : 'text'
}

export function output(globals: Globals, around: Surroundings): Output {
  const { stdout, stderr, env, nowMs } = around
  const form = formOf(globals)
  const quiet = globals.quiet === true
  const live = stderr.isTTY === true && env.TERM !== 'dumb' && (env.CI ?? '') === '' && !quiet
  const coloured = wantsColour(globals, env, stdout) && wantsColour(globals, env, stderr)
  let progressShown = false
  let progressToldMs = nowMs()
  const endProgress = (): void => {
    if (progressShown) stderr.write('\r\u001b[K')
    progressShown = false
  }
  const message = (line: string): void => {
    endProgress()
    stderr.write(`${line}\n`)
  }
  return {
    form,
    verbose: globals.verbose === true,
    live,
    print(line) {
      if (stdout.isTTY) endProgress()
      stdout.write(`${line}\n`)
    },
    say: (line) => (quiet ? undefined : message(line)),
    detail: (line) => (globals.verbose === true ? message(line) : undefined),
    warn: message,
    progress(line) {
      if (quiet) return
      if (live) {
        if (line === '') return endProgress()
        stderr.write(`\r\u001b[K${line.slice(0, Math.max(20, (stderr.columns ?? 80) - 1))}`)
        progressShown = true
      } else if (line !== '' && nowMs() - progressToldMs >= progressMsMin) {
        progressToldMs = nowMs()
        stderr.write(`${line}\n`)
      }
    },
    style: (style, text) => (coloured ? styleText(style, text, { validateStream: false }) : text),
    table(columns, rows) {
      if (form === 'json') stdout.write(`${JSON.stringify(rows)}\n`)
      else if (form === 'ndjson') for (const row of rows) stdout.write(`${JSON.stringify(row)}\n`)
      else if (form === 'plain')
        for (const row of rows)
          stdout.write(`${columns.map((column) => clean(cell(row[column.name], column, false))).join('\t')}\n`)
      else for (const line of tableLines(columns, rows)) stdout.write(`${line}\n`)
    },
  }
}

/** People get thousands apart (`1,509,496.33`); programs that read tabs do not. */
function cell(value: Row[string] | undefined, { decimals }: TableColumn, grouped: boolean): string {
  if (value === null || value === undefined) return ''
  if (typeof value !== 'number' || (decimals === undefined && !grouped)) return String(value)
  const digits = decimals === undefined ? {} : { minimumFractionDigits: decimals, maximumFractionDigits: decimals }
  return value.toLocaleString('en-US', { useGrouping: grouped, ...digits })
}

/** A table for people: titles, a rule under them, columns two spaces apart, numbers to the right. */
export function tableLines(columns: readonly TableColumn[], rows: readonly Row[]): string[] {
  const titles = columns.map((column) => column.title ?? column.name)
  const cells = rows.map((row) => columns.map((column) => clean(cell(row[column.name], column, true))))
  const widths = titles.map((title, i) => Math.max(title.length, ...cells.map((line) => line[i]?.length ?? 0)))
  const line = (texts: readonly string[]): string =>
    texts
      .map((text, i) => (columns[i]?.alignRight ? text.padStart(widths[i] ?? 0) : text.padEnd(widths[i] ?? 0)))
      .join('  ')
      .trimEnd()
  return [line(titles), line(widths.map((width) => '─'.repeat(width))), ...cells.map(line)]
}
