// Reads a `.flow` file (README.md): prose, plans, what happens line by line, and the sections of what must come out.
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Contract } from '../../src/query/contract.ts'
import type { Plan } from '../../src/query/plan.ts'
import { changed } from './changed-plans.ts'
import { plans as catalogue, parcels, sales } from './plans.ts'
import { parseTime } from './times.ts'

/** One record as it is sent; its offset is its place among the records of its partition. */
export interface SentRecord {
  readonly kind: 'record'
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** Null: a tombstone. */
  readonly value: Uint8Array | null
  /** Kafka timestamp, ms. */
  readonly arrivalMs: number
  /** Said to come too late for some plan. */
  readonly late: boolean
  /** In one batch with the record before it. */
  readonly joined: boolean
  readonly line: number
}
export type Directive =
  | { readonly kind: 'tick' | 'kill' | 'crash' | 'restart' | 'snapshot' | 'takeover' }
  | { readonly kind: 'advance'; readonly ms: number }
  /** An orderly stop, and a start with other plans: all of them. */
  | { readonly kind: 'upgrade'; readonly plans: readonly Plan[] }
  | { readonly kind: 'idle'; readonly topic: string; readonly partition: number }
  /** The global watermark of the first plan's topic must be this; null: there is none yet. */
  | { readonly kind: 'watermark'; readonly ms: number | null; readonly line: number }
export type Step = SentRecord | Directive

export interface Flow {
  readonly name: string
  readonly path: string
  /** What is told of: every plan that ever runs, as it is in the end. */
  readonly plans: readonly Plan[]
  /** What it starts with. */
  readonly firstPlans: readonly Plan[]
  /** Plans that an upgrade left out. */
  readonly removed: ReadonlySet<string>
  /** The job's own clock decides on ticks and idle partitions, once a virtual second; else only the flow's lines do. */
  readonly clock: boolean
  readonly steps: readonly Step[]
  /** What must come out, by heading, one line each, white space as single blanks. */
  readonly sections: ReadonlyMap<string, readonly string[]>
  /** Everything above the first section, as it stands in the file. */
  readonly head: string
}

export const folder = fileURLToPath(new URL('.', import.meta.url))

export function allFlows(): Flow[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.flow'))
    .sort()
    .map((file) => parseFlow(file.slice(0, -'.flow'.length), readFileSync(`${folder}${file}`, 'utf8')))
}

const contracts: readonly Contract[] = [sales, parcels]
const encoder = new TextEncoder()

export function parseFlow(name: string, text: string): Flow {
  const lines = text.split('\n')
  const fail = (line: number, what: string): never => {
    throw new Error(`${name}.flow:${line}: ${what}`)
  }
  const firstPlans: Plan[] = []
  let plans = firstPlans
  const removed = new Set<string>()
  const plansOf = (names: readonly string[], line: number): Plan[] =>
    names.map((name) => catalogue.get(name) ?? changed.get(name) ?? fail(line, `there is no plan '${name}'`))
  let clock = false
  let prose = true
  const steps: Step[] = []
  const sections = new Map<string, string[]>()
  const offsets = new Map<string, number>()
  let section: string[] | null = null
  let head = lines.length

  const place = (text: string, line: number): { topic: string; partition: number } => {
    const match = /^(?:([a-z]+)\/)?(\d+)$/.exec(text)
    if (match === null) return fail(line, `'${text}' is no partition: 0, or parcels/0`)
    const topic = match[1] ?? Object.keys(plans[0]?.contracts ?? {})[0] ?? fail(line, 'say the plans first')
    const partition = Number(match[2])
    const contract = contracts.find((one) => one.topic === topic)
    if (contract === undefined || partition >= contract.partitions)
      return fail(line, `there is no partition ${topic}/${partition}`)
    return { topic, partition }
  }
  const record = (words: readonly string[], line: number, whole: string, joined = false): void => {
    const late = words[0] === 'late'
    const bad = words[0] === 'bad'
    const rest = late || bad ? words.slice(1) : words
    const { topic, partition } = place(rest[0] ?? '', line)
    const key = `${topic}/${partition}`
    const offset = offsets.get(key) ?? 0
    offsets.set(key, offset + 1)
    const sent = bad
      ? { value: badBytes(whole.replace(/^bad\s+\S+\s?/, '')), arrivalMs: parseTime('00:00:00')! }
      : written(rest.slice(1), eventTimeOf(topic), (what) => fail(line, what))
    steps.push({ kind: 'record', topic, partition, offset, late, joined, line, ...sent })
  }

  for (const [index, raw] of lines.entries()) {
    const line = index + 1
    const heading = /^--- (.+)$/.exec(raw)
    if (heading !== null) {
      section = []
      head = Math.min(head, index)
      if (sections.has(heading[1]!)) fail(line, `'${heading[1]}' is there twice`)
      sections.set(heading[1]!, section)
      continue
    }
    const trimmed = raw.trim()
    if (section !== null) {
      if (trimmed !== '') section.push(trimmed.replaceAll(/\s+/g, ' '))
      continue
    }
    if (trimmed === '' || trimmed.startsWith('#')) continue
    const words = splitWords(trimmed)
    if (words[0] === 'plans') {
      prose = false
      firstPlans.push(...plansOf(words.slice(1), line))
      continue
    }
    if (prose) continue
    if (words[0] === '&') {
      const before = steps.at(-1)
      record(words.slice(1), line, trimmed.slice(2), true)
      const made = steps.at(-1)
      if (
        before?.kind !== 'record' ||
        made?.kind !== 'record' ||
        before.partition !== made.partition ||
        before.topic !== made.topic
      )
        fail(line, '& joins a record to the batch of the record before it, in the same partition')
      continue
    }
    if (words[0] === 'repeat') {
      for (let i = 0; i < Number(words[1]); i++) {
        const each = trimmed.replace(/^repeat \d+ /, '').replaceAll('#', String(i))
        record(splitWords(each), line, each, i > 0)
      }
      continue
    }
    if (words[0] === 'upgrade') {
      const next = plansOf(words.slice(1), line)
      steps.push({ kind: 'upgrade', plans: next })
      const stays = (plan: Plan): boolean => next.some(({ name }) => name === plan.name)
      for (const plan of plans) if (!stays(plan)) removed.add(plan.name)
      for (const { name } of next) removed.delete(name)
      const before = plans
      plans = [
        ...before.map((plan) => next.find(({ name }) => name === plan.name) ?? plan),
        ...next.filter((plan) => !before.some(({ name }) => name === plan.name)),
      ]
      continue
    }
    const directive = directiveOf(words, line, place)
    if (directive === 'clock') clock = true
    else if (directive !== null) steps.push(directive)
    else if (/^(late|bad)$/.test(words[0]!) || /^(?:[a-z]+\/)?\d+$/.test(words[0]!)) record(words, line, trimmed)
    else fail(line, `'${words[0]}' is neither a partition nor a directive`)
  }
  if (plans.length === 0) fail(1, 'no line says the plans')
  for (const plan of plans) if (!sections.has(plan.name)) sections.set(plan.name, [])
  for (const name of ['late', 'dead letters']) if (!sections.has(name)) sections.set(name, [])
  for (const name of sections.keys()) {
    const known = [
      'late',
      'dead letters',
      ...plans.flatMap((plan) => [plan.name, `rows ${plan.name}`, `bounded ${plan.name}`]),
    ]
    if (!known.includes(name)) fail(1, `'--- ${name}' is none of: ${known.join(', ')}`)
  }
  return {
    name,
    path: `${folder}${name}.flow`,
    plans,
    firstPlans,
    removed,
    clock,
    steps,
    sections,
    head: lines.slice(0, head).join('\n').trimEnd(),
  }
}

function directiveOf(
  words: readonly string[],
  line: number,
  place: (text: string, line: number) => { topic: string; partition: number },
): Directive | 'clock' | null {
  const [name, argument = ''] = words
  switch (name) {
    case 'clock':
      return 'clock'
    case 'tick':
    case 'kill':
    case 'crash':
    case 'restart':
    case 'snapshot':
    case 'takeover':
      return { kind: name }
    case 'advance': {
      const match = /^(\d+)(s|min)$/.exec(argument)
      if (match === null) throw new Error(`line ${line}: advance 5s, or advance 2min`)
      return { kind: 'advance', ms: Number(match[1]) * (match[2] === 's' ? 1000 : 60_000) }
    }
    case 'idle':
      return { kind: 'idle', ...place(argument, line) }
    case 'watermark':
      return { kind: 'watermark', ms: argument === 'none' ? null : parseTime(words.slice(1).join(' ')), line }
    default:
      return null
  }
}

/** Words apart at blanks; JSON text, lists and objects may hold blanks. */
function splitWords(text: string): string[] {
  return text.match(/(?:"(?:[^"\\]|\\.)*"|[^\s"])+/g) ?? []
}
function eventTimeOf(topic: string): string {
  return contracts.find((one) => one.topic === topic)!.eventTime
}

/** `00:01:05 seller=ana price=2.50 arrival=00:01:00` as the JSON text of a record, digit by digit as written. */
function written(
  words: readonly string[],
  eventTime: string,
  fail: (what: string) => never,
): { value: Uint8Array; arrivalMs: number } {
  let rest = words
  let time = rest[0] ?? ''
  rest = rest.slice(1)
  if (/^\d{4}-/.test(time) && /^\d\d:/.test(rest[0] ?? '')) {
    time = `${time} ${rest[0]}`
    rest = rest.slice(1)
  }
  const atMs = parseTime(time) ?? fail(`'${time}' is no time: 00:01:05, 00:01:05.250 or 2026-02-01 00:00:00`)
  let arrivalMs = atMs
  const members = [`"${eventTime}":${JSON.stringify(new Date(atMs).toISOString())}`]
  for (const word of rest) {
    const at = word.indexOf('=')
    if (at < 1) fail(`'${word}' is no field: seller=ana`)
    const [field, value] = [word.slice(0, at), word.slice(at + 1)]
    if (field === 'arrival') {
      arrivalMs = parseTime(value) ?? fail(`'${value}' is no time`)
      continue
    }
    members.push(`${JSON.stringify(field)}:${isJson(value) ? value : JSON.stringify(value)}`)
  }
  return { value: encoder.encode(`{${members.join(',')}}`), arrivalMs }
}
function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
/** `hex ff fe`, `nothing` (a tombstone), or the text itself. */
function badBytes(text: string): Uint8Array | null {
  if (text === 'nothing') return null
  if (text.startsWith('hex ')) return Uint8Array.from(Buffer.from(text.slice(4).replaceAll(' ', ''), 'hex'))
  return encoder.encode(text)
}
