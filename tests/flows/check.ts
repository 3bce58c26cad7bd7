// What must hold after any ride of a flow: the sections of its file, the accounts of its records, and, against the whole
// ride, the same tables, late records and dead letters, byte by byte where only crashes lie between.
import { planIdentity } from '../../src/connect/connect.ts'
import type { Flow, SentRecord } from './flow-file.ts'
import { difference, finalRows, members, type Outcome, printSection, type ReadRecord } from './outcome.ts'
import type { Ride } from './ride.ts'
import { Violation } from './run-flow.ts'

const decoder = new TextDecoder()

/** Throws a Violation that shows every section that differs, in the form of the file. */
export function checkSections(flow: Flow, outcome: Outcome): void {
  const wrong: string[] = []
  for (const [heading, expected] of flow.sections) {
    const differs = difference(heading, expected, printSection(flow, outcome, heading))
    if (differs !== null) wrong.push(differs)
  }
  if (wrong.length > 0) throw new Violation(`${flow.name}.flow: - expected, + found\n${wrong.join('\n\n')}`)
}

/** What no flow needs to say: it holds for all of them. */
export function checkAccounts(flow: Flow, outcome: Outcome): void {
  const sent = new Map<string, SentRecord>()
  for (const step of flow.steps)
    if (step.kind === 'record') sent.set(`${step.topic}/${step.partition}@${step.offset}`, step)
  const late = new Set<string>()
  const dead = new Set<string>()
  const lateByPlan = new Set<string>()
  for (const record of outcome.late) {
    const origin = originOf(record)
    const plan = `${origin} for ${record.headers.get('late.plan')}`
    if (lateByPlan.has(plan)) throw new Violation(`${plan} is in the late topic twice`)
    lateByPlan.add(plan)
    late.add(origin)
    sameBytes(record, sent.get(origin), 'late record')
  }
  for (const record of outcome.dead) {
    const origin = originOf(record)
    if (dead.has(origin)) throw new Violation(`${origin} is among the dead letters twice`)
    dead.add(origin)
    sameBytes(record, sent.get(origin), 'dead letter')
    if ((record.headers.get('dlq.message') ?? '').length < 10) throw new Violation(`${origin}: no message for people`)
  }
  for (const [origin, record] of sent)
    if (record.late !== late.has(origin))
      throw new Violation(
        `${flow.name}.flow:${record.line}: ${record.late ? 'the record came in time' : 'the record came too late'}`,
      )
  for (const line of outcome.ledger) {
    const of = (origins: Iterable<string>): number =>
      [...origins].filter((origin) => origin.startsWith(`${line.topic}/${line.partition}@`)).length
    const wanted = { in: of(sent.keys()), late: of([...late].filter((origin) => !dead.has(origin))), dead: of(dead) }
    const found = { in: line.in, late: line.late, dead: line.deadLettered }
    if (
      JSON.stringify(wanted) !== JSON.stringify(found) ||
      line.in !== line.processed + line.duplicates + line.late + line.deadLettered
    )
      throw new Violation(
        `ledger of ${line.topic}/${line.partition}: ${JSON.stringify(line)}, not ${JSON.stringify(wanted)}`,
      )
  }
  // A new plan tells its rows again where they differ.
  const upgraded = flow.steps.some(({ kind }) => kind === 'upgrade')
  for (const plan of upgraded ? [] : flow.plans) checkHistory(plan, outcome.results.get(plan.name) ?? [])
  checkBounded(flow, outcome, late.size > 0)
}

/** Per key: early rows, then at most one row on time, then corrections; and anew where the row was taken back. */
function checkHistory(plan: Flow['plans'][number], records: readonly ReadRecord[]): void {
  if (plan.nodes.at(-1)?.changelog.mode !== 'upsert') return
  const histories = new Map<string, string>()
  for (const { key, value } of records) {
    const timing = value === null ? '"taken-back"' : (members(decoder.decode(value)).get('timing') ?? '')
    histories.set(key ?? '', `${histories.get(key ?? '') ?? ''}${timing} `)
  }
  for (const [key, history] of histories)
    if (!/^(("early" )*("on-time" )?("late" )*"taken-back" )*("early" )*("on-time" )?("late" )*$/.test(history))
      throw new Violation(`${plan.name} ${key}: rows came as ${history}`)
}

/** Every closed window of a live run without late records equals the bounded run over the same log. */
function checkBounded(flow: Flow, outcome: Outcome, someLate: boolean): void {
  const future = outcome.dead.some((record) => record.headers.get('dlq.reason') === 'future')
  if (someLate || future) return
  for (const plan of flow.plans) {
    if (plan.nodes.at(-1)?.changelog.mode !== 'upsert' || flow.removed.has(plan.name)) continue
    const bounded = new Map((outcome.bounded.get(plan.name) ?? []).map(({ key, row }) => [key, row]))
    const last = new Map(
      (outcome.results.get(plan.name) ?? []).map(({ key, value }) => [key, decoder.decode(value ?? new Uint8Array(0))]),
    )
    for (const [key, row] of last) {
      if (row === '' || row.endsWith(',"timing":"early"}')) continue
      const live = row.replace(/,"timing":"[a-z-]+"}$/, '}')
      if (bounded.get(key) !== live)
        throw new Violation(`${plan.name} ${key}: live ${live}, but a bounded run gives ${bounded.get(key)}`)
    }
  }
}

const originOf = ({ headers }: ReadRecord): string =>
  `${headers.get('dlq.original.topic')}/${headers.get('dlq.original.partition')}@${headers.get('dlq.original.offset')}`
function sameBytes(record: ReadRecord, sent: SentRecord | undefined, what: string): void {
  const bytes = Buffer.from(sent?.value ?? new Uint8Array(0))
  if (sent === undefined || !bytes.equals(record.value ?? new Uint8Array(0)))
    throw new Violation(`the ${what} of ${originOf(record)} does not hold the record's bytes`)
}

/** Throws where this ride tells another story than the whole one. */
export function checkAgainst(flow: Flow, ride: Ride, whole: Outcome, found: Outcome): void {
  const wrong: string[] = []
  const compare = (heading: string, expected: readonly string[], actual: readonly string[]): void => {
    const differs = difference(
      heading,
      expected.map((line) => line.replaceAll(/\s+/g, ' ')),
      actual,
    )
    if (differs !== null) wrong.push(differs)
  }
  for (const heading of ['late', 'dead letters', ...flow.plans.map(({ name }) => name)])
    compare(heading, printSection(flow, whole, heading), printSection(flow, found, heading))
  for (const plan of flow.plans) {
    const [before, after] = [whole.results.get(plan.name) ?? [], found.results.get(plan.name) ?? []]
    // Where the batches were the same, crashes may change nothing at all: the same rows, in the same order.
    if (ride.shuffle === null && !flow.clock) compare(`changelog ${plan.name}`, before.map(lineOf), after.map(lineOf))
    else if (plan.nodes.at(-1)?.changelog.mode === 'upsert')
      compare(`evidence ${plan.name}`, evidence(before), evidence(after))
    if (finalRows(plan, before).length !== finalRows(plan, after).length)
      wrong.push(`${planIdentity(plan)}: rows are missing`)
  }
  if (wrong.length > 0)
    throw new Violation(`${flow.name}.flow, ride ${ride.name}: - the whole ride, + this one\n${wrong.join('\n\n')}`)
}
const lineOf = ({ partition, key, value, headers }: ReadRecord): string =>
  `${partition} ${key} ${decoder.decode(value ?? new Uint8Array(0))} ${headers.get('evidence')}`
/** Of the last row of each key. */
function evidence(records: readonly ReadRecord[]): string[] {
  const last = new Map(
    records.map(({ key, value, headers }) => [key, value === null ? null : `${key} ${headers.get('evidence')}`]),
  )
  return [...last.values()].filter((line) => line !== null).sort()
}
