// What a section found, and how it is printed: a table for people, the same as JSON for the history.
import { type Spread, spreadOf, timesBetter } from './statistics.ts'

export type Unit = 'events/s' | 'records/s' | 'ns' | 'ms' | 'MB' | 'times'

/** One thing measured, each value a run. */
export interface Measured {
  readonly what: string
  readonly unit: Unit
  readonly ours: readonly number[]
  /** The same work by someone else, in turns with ours. */
  readonly peer: { readonly name: string; readonly values: readonly number[] } | null
}
export interface SectionReport {
  readonly title: string
  readonly measured: readonly Measured[]
  /** What was checked, and what one must know to read the figures. */
  readonly notes: readonly string[]
  /** What was left out, and why. */
  readonly skipped: readonly string[]
}

const betterWhen = (unit: Unit): 'more' | 'less' => {
  switch (unit) {
    case 'events/s':
    case 'records/s':
      return 'more'
    case 'ns':
    case 'ms':
    case 'MB':
    case 'times':
      return 'less'
  }
}

/** `1.53 M`, `371 k`, `0.42`, `2,902`: three digits that count. */
export function figure(value: number): string {
  if (value >= 999_500) return `${threeDigits(value / 1e6)} M`
  if (value >= 9_995) return `${threeDigits(value / 1e3)} k`
  if (value >= 1_000) return Math.round(value).toLocaleString('en-US')
  return threeDigits(value)
}
function threeDigits(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)
}

const spreadText = ({ min, median, max, runs }: Spread): string =>
  runs === 1 ? '-' : `${figure(min)} - ${figure(median)} - ${figure(max)}`

export function sectionText(report: SectionReport): string {
  const lines = [`## ${report.title}`, '']
  if (report.measured.length > 0) {
    const head = ['what', 'unit', 'ours', 'peer', 'ratio', 'ours min - median - max', 'peer min - median - max']
    lines.push(...table([head, ...report.measured.map(cells)]), '')
  }
  for (const note of report.notes) lines.push(`- ${note}`)
  for (const left of report.skipped) lines.push(`- left out: ${left}`)
  return `${lines.join('\n')}\n`
}

function cells({ what, unit, ours, peer }: Measured): string[] {
  const our = spreadOf(ours)
  if (peer === null) return [what, unit, figure(our.median), '', '', spreadText(our), '']
  const other = spreadOf(peer.values)
  return [
    what,
    unit,
    figure(our.median),
    `${figure(other.median)} ${peer.name}`,
    `${timesBetter(our, other, betterWhen(unit)).toFixed(2)}x`,
    spreadText(our),
    spreadText(other),
  ]
}

/** A Markdown table whose columns line up in a terminal too. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const head = rows[0] ?? []
  const widths = head.map((_, column) => Math.max(3, ...rows.map((row) => (row[column] ?? '').length)))
  const line = (row: readonly string[]): string =>
    `| ${widths.map((width, column) => (row[column] ?? '').padEnd(width)).join(' | ')} |`
  return [line(head), `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`, ...rows.slice(1).map(line)]
}

/** The section as data: every run's value is kept. */
export function sectionJson(name: string, report: SectionReport): object {
  return {
    name,
    title: report.title,
    measured: report.measured.map(({ what, unit, ours, peer }) => ({
      what,
      unit,
      ours: { ...spreadOf(ours), values: ours },
      ...(peer === null
        ? {}
        : {
            peer: { name: peer.name, ...spreadOf(peer.values), values: peer.values },
            ratio: timesBetter(spreadOf(ours), spreadOf(peer.values), betterWhen(unit)),
          }),
    })),
    notes: report.notes,
    skipped: report.skipped,
  }
}
