// What a job keeps in its own topic on a Kafka cluster: who owns it, where its last commit left it, in which order it
// took what it read, and its ticks.
//
// The topic is compacted, has one partition and is called `millrace.job.<name>`: letters, digits and `-` as they are,
// each other byte of the name's UTF-8 as `_` and two hexadecimal digits; a name that does not fit keeps its beginning,
// then `_h` and the SHA-256 of the whole. It is also the job's transactional id. Records, key and value:
//
//   owner               {"v":1,"epoch":<n>}                        each owner writes the number that follows the last
//   commit              {"v":1,"number":<n>,"epoch":<n>,"cursor":"k1|…"}
//   order/<n>/<part>    {"v":1,"topics":["<topic id>",…],"runs":[<topic>,<partition>,<from>,<to>,…]}
//   tick/<unique>       the payload, as it is
//
// `commit` and the `order/…` of its number stand in one transaction with the outputs. A run says: next were the entries
// of this partition from offset `from` up to `to`, not included; topic -1 is this one (its ticks). The runs of all
// orders by number and part are the order in which everything was processed; each begins where the last one of its
// partition ended. Because only `commit` and `owner` are written over, compaction takes nothing of it. Orders and ticks
// that no snapshot of the job can go back to are deleted (a null value). Changing this needs a format version.
import { createHash } from 'node:crypto'
import { type Cursor, LogError } from '../../log/log.ts'
import { BatchWriter } from '../../wire/batch-writer.ts'
import { Positions, ticksId } from './positions.ts'

const prefix = 'millrace.job.'
const formatVersion = 1
const topicNameCharactersMax = 249
/** Runs in a record: about 250 KB, a quarter of what a topic takes by default. */
export const runsInRecordMax = 10_000

export interface Run {
  readonly id: string
  readonly partition: number
  readonly from: number
  readonly to: number
}

export function jobTopic(job: string): string {
  let name = prefix
  for (const byte of new TextEncoder().encode(job)) {
    const character = String.fromCharCode(byte)
    name += /[A-Za-z0-9-]/.test(character) ? character : `_${byte.toString(16).padStart(2, '0')}`
  }
  if (name.length <= topicNameCharactersMax) return name
  return `${name.slice(0, topicNameCharactersMax - 66)}_h${createHash('sha256').update(job).digest('hex')}`
}
export const isJobTopic = (name: string): boolean => name.startsWith(prefix)

/** A record of a job's topic, as it is read. */
export type JobRecord =
  | { readonly kind: 'owner'; readonly epoch: number }
  | { readonly kind: 'commit'; readonly number: number; readonly epoch: number; readonly cursor: Cursor }
  | {
      readonly kind: 'order'
      readonly key: string
      readonly number: number
      readonly part: number
      readonly runs: readonly Run[]
    }
  | { readonly kind: 'tick'; readonly key: string; readonly payload: Uint8Array }
  | { readonly kind: 'gone'; readonly key: string }

/** Throws a LogError CORRUPT_MESSAGE for what nobody of this house has written. */
export function readJobRecord(topic: string, key: string, value: Uint8Array | null): JobRecord {
  if (value === null) return { kind: 'gone', key }
  if (key.startsWith('tick/')) return { kind: 'tick', key, payload: value }
  const said = fieldsOf(topic, key, value)
  const number = (name: string): number => {
    const found = said[name]
    if (typeof found === 'number' && Number.isSafeInteger(found)) return found
    throw unreadable(topic, key, `its ${name} is ${JSON.stringify(found)}`)
  }
  if (number('v') !== formatVersion)
    throw unreadable(topic, key, `it has format ${number('v')}, this build reads ${formatVersion}`)
  if (key === 'owner') return { kind: 'owner', epoch: number('epoch') }
  if (key === 'commit') {
    if (typeof said.cursor !== 'string') throw unreadable(topic, key, 'it has no cursor')
    return {
      kind: 'commit',
      number: number('number'),
      epoch: number('epoch'),
      cursor: Positions.of(said.cursor as Cursor).cursor(),
    }
  }
  const [, order, part] = /^order\/(\d{1,16})\/(\d{1,9})$/.exec(key) ?? []
  if (order === undefined) throw unreadable(topic, key, 'nothing of this kind is written there')
  return { kind: 'order', key, number: Number(order), part: Number(part), runs: runsOf(topic, key, said) }
}
function fieldsOf(topic: string, key: string, value: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    const said: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(value))
    if (typeof said === 'object' && said !== null) return said as Readonly<Record<string, unknown>>
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof TypeError)) throw error
  }
  throw unreadable(topic, key, 'it is no JSON object')
}
function runsOf(topic: string, key: string, { topics, runs }: Readonly<Record<string, unknown>>): Run[] {
  const isList = Array.isArray(topics) && Array.isArray(runs) && runs.length % 4 === 0
  if (!isList || !runs.every((n) => Number.isSafeInteger(n))) throw unreadable(topic, key, 'its runs are not runs')
  const found: Run[] = []
  for (let at = 0; at < runs.length; at += 4) {
    const [index, partition, from, to] = runs.slice(at, at + 4) as [number, number, number, number]
    const id: unknown = index === -1 ? ticksId : topics[index]
    if (typeof id !== 'string' || partition < 0 || from < 0 || to <= from)
      throw unreadable(topic, key, 'a run of it is none')
    found.push({ id, partition, from, to })
  }
  return found
}
function unreadable(topic: string, key: string, why: string): LogError {
  return new LogError(
    'CORRUPT_MESSAGE',
    `record '${key.slice(0, 60)}' of ${topic} cannot be read: ${why}. The topic is the job's own: give the job another ` +
      'name to compute everything anew, or update millrace if a newer one has written it.',
  )
}

const encoder = new TextEncoder()

/** Records for a job's topic, as one batch; the writer compresses, for runs are much alike. */
export class JobRecords {
  readonly #writer = new BatchWriter({ compression: 'gzip', initialBytes: 1024 })
  readonly #nowMs: number
  constructor(nowMs: number) {
    this.#nowMs = nowMs
  }
  owner(epoch: number): this {
    return this.#json('owner', { v: formatVersion, epoch })
  }
  commit(number: number, epoch: number, cursor: string): this {
    return this.#json('commit', { v: formatVersion, number, epoch, cursor })
  }
  /** Returns the keys. */
  order(number: number, runs: readonly Run[]): string[] {
    const keys: string[] = []
    for (let first = 0; first < runs.length; first += runsInRecordMax) {
      const part = runs.slice(first, first + runsInRecordMax)
      const topics = [...new Set(part.map(({ id }) => id))].filter((id) => id !== ticksId)
      const flat = part.flatMap(({ id, partition, from, to }) => [topics.indexOf(id), partition, from, to])
      const key = `order/${number}/${keys.length}`
      this.#json(key, { v: formatVersion, topics, runs: flat })
      keys.push(key)
    }
    return keys
  }
  tick(unique: string, payload: Uint8Array): this {
    this.#writer.append(encoder.encode(`tick/${unique}`), payload, this.#nowMs)
    return this
  }
  gone(key: string): this {
    this.#writer.append(encoder.encode(key), null, this.#nowMs)
    return this
  }
  #json(key: string, value: object): this {
    this.#writer.append(encoder.encode(key), encoder.encode(JSON.stringify(value)), this.#nowMs)
    return this
  }
  batch(): Uint8Array {
    return this.#writer.finish()
  }
}
