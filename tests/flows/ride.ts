// A ride: one way to run a flow. As written, in other batches, with snapshots at every step, through a crash at one
// commit or one operation of the disk. Its name is how it is replayed: `snapshots+commit:4:during`.
import { randomStream } from '../../src/std/random.ts'
import type { Directive, Flow, SentRecord, Step } from './flow-file.ts'

export type Harm =
  | null
  /** The process is killed at the k-th commit: before the log has it, when it is under way, or when it is durable and not yet told. */
  | { readonly kind: 'commit'; readonly at: number; readonly when: 'before' | 'during' | 'after' }
  /** The k-th commit is refused: the job is over, its process ends. */
  | { readonly kind: 'refuse'; readonly at: number }
  /** Something happens at the k-th operation of the disk. `full` and `error` happen once and pass. */
  | { readonly kind: 'kill' | 'power' | 'full' | 'error'; readonly at: number }

export interface Ride {
  readonly name: string
  /** Null: in the order of the file, one record a batch. */
  readonly shuffle: string | null
  /** Time enough for a snapshot passes before every step. */
  readonly snapshots: boolean
  /** Worker threads of the job, each in its turn of the simulated scheduler; 0: none. */
  readonly shards: number
  readonly harm: Harm
  /** What survives a power cut is drawn by this. */
  readonly outcome: number
}

export function ride(name: string): Ride {
  let made: Ride = { name, shuffle: null, snapshots: false, shards: 0, harm: null, outcome: 0 }
  for (const part of name.split('+')) {
    const [kind, first = '', second = ''] = part.split(':')
    switch (kind) {
      case 'whole':
        break
      case 'shuffle':
        made = { ...made, shuffle: first }
        break
      case 'snapshots':
        made = { ...made, snapshots: true }
        break
      case 'shards':
        made = { ...made, shards: Number(first) }
        break
      case 'commit':
        if (second !== 'before' && second !== 'during' && second !== 'after')
          throw new Error(`ride '${name}': commit:4:before, during or after`)
        made = { ...made, harm: { kind, at: Number(first), when: second } }
        break
      case 'refuse':
        made = { ...made, harm: { kind, at: Number(first) } }
        break
      case 'kill':
      case 'power':
      case 'full':
      case 'error':
        made = { ...made, harm: { kind, at: Number(first) }, outcome: Number(second) }
        break
      default:
        throw new Error(`ride '${name}': '${part}' is no part of a ride`)
    }
  }
  return made
}

/** Records of one partition, appended as one batch; or what the flow says to do. */
export type Action =
  | { readonly kind: 'batch'; readonly records: readonly [SentRecord, ...SentRecord[]] }
  | { readonly kind: 'directive'; readonly directive: Directive }

/** A flow's steps as this ride takes them. Between two directives records may change places, but not inside a partition. */
export function actionsOf(flow: Flow, ride: Ride): Action[] {
  if (ride.shuffle === null) return asWritten(flow)
  const random = randomStream(`${flow.name}/${ride.shuffle}`)
  const actions: Action[] = []
  const idle = new Set<string>()
  let segment: SentRecord[] = []
  const finish = (): void => {
    const wakes = segment.some((record) => idle.has(partitionOf(record)))
    actions.push(...(wakes ? splitRuns(segment, random.below) : shuffled(segment, random.below)))
    for (const record of segment) idle.delete(partitionOf(record))
    segment = []
  }
  for (const step of flow.steps) {
    if (step.kind === 'record') {
      segment.push(step)
      continue
    }
    finish()
    actions.push({ kind: 'directive', directive: step })
    // The watermark that a waking partition is raised to depends on what came before it: its segment keeps its order.
    if (step.kind === 'idle') idle.add(`${step.topic}/${step.partition}`)
    if (step.kind === 'advance' && flow.clock)
      for (const record of flow.steps) if (isRecord(record)) idle.add(partitionOf(record))
  }
  finish()
  return actions
}
const isRecord = (step: Step): step is SentRecord => step.kind === 'record'
const partitionOf = (record: SentRecord): string => `${record.topic}/${record.partition}`

function asWritten(flow: Flow): Action[] {
  const actions: Action[] = []
  let batch: SentRecord[] = []
  for (const step of flow.steps) {
    if (batch.length > 0 && !(isRecord(step) && step.joined)) actions.push(batchOf(batch))
    if (!isRecord(step)) {
      batch = []
      actions.push({ kind: 'directive', directive: step })
    } else batch = step.joined ? [...batch, step] : [step]
  }
  if (batch.length > 0) actions.push(batchOf(batch))
  return actions
}

type Below = (bound: number) => number
const batchOf = (records: readonly SentRecord[]): Action => ({
  kind: 'batch',
  records: records as readonly [SentRecord, ...SentRecord[]],
})

function shuffled(segment: readonly SentRecord[], below: Below): Action[] {
  const queues = new Map<string, SentRecord[]>()
  for (const record of segment) queues.set(partitionOf(record), [...(queues.get(partitionOf(record)) ?? []), record])
  const actions: Action[] = []
  while (queues.size > 0) {
    const [key, queue] = [...queues][below(queues.size)]!
    actions.push(batchOf(queue.splice(0, 1 + below(queue.length > 100 ? 1000 : 4))))
    if (queue.length === 0) queues.delete(key)
  }
  return actions
}
function splitRuns(segment: readonly SentRecord[], below: Below): Action[] {
  const actions: Action[] = []
  for (let from = 0; from < segment.length; ) {
    const wanted = 1 + below(4)
    let to = from + 1
    while (to < segment.length && to - from < wanted && partitionOf(segment[to]!) === partitionOf(segment[from]!)) to++
    actions.push(batchOf(segment.slice(from, to)))
    from = to
  }
  return actions
}
