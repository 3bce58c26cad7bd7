// Result topics into the tables of the serving store, exactly once: rows and position are one transaction of the database,
// and the position is read from there. A database that went back, was emptied or is another one is filled again.
import type { Log } from '../log/log.ts'
import { offset, partitionId } from '../std/units.ts'
import {
  cellsOf,
  ServingError,
  ServingFenced,
  type ServingStore,
  type ServingTable,
  type SinkOwner,
  type SinkRow,
} from '../stores/serving.ts'
import { baseOffset, recordHeaders, recordSlots, recordsOf, walkRecords } from '../wire/record-batch.ts'
import { WireError } from '../wire/wire-error.ts'
import type { World } from '../world/world.ts'

export interface ServingSink {
  /** Resolves when all that is in the topics now is in the tables; rejects with what `failed` tells, or when it is stopped. */
  settled(): Promise<void>
  /** Records of the topics that are not in the tables yet. */
  behind(): number
  counts(): ServingCounts
  /** Why nothing moves at the moment; null: it moves. It goes on by itself, unless another process writes the tables. */
  trouble(): Error | null
  /** The open store; null while it cannot be reached. */
  store(): ServingStore | null
  /** Resolves with the reason if it can go on no longer. Never rejects. */
  readonly failed: Promise<Error>
  /** Ends what is under way and closes the store. */
  stop(): Promise<void>
}
export interface ServingCounts {
  /** Records applied since the start. */
  readonly applied: number
  /** Records of the topics that are no row of their table: any client may write there. */
  readonly refused: number
  /** Records that retention dropped before the table had them: rows without a newer one are missing. */
  readonly missed: number
}

/** Bytes of a topic that go into one transaction, about. */
const batchBytesMax = 1 << 20
/** The topics are looked at this often when nothing moves. */
const lookEveryMs = 100
const againMsMin = 200
const againMsMax = 5_000

export function startServingSink(
  world: World,
  log: Log,
  open: () => Promise<ServingStore>,
  tables: readonly ServingTable[],
): ServingSink {
  return new Sink(world, log, open, tables)
}

class Sink implements ServingSink {
  readonly #world: World
  readonly #log: Log
  readonly #open: () => Promise<ServingStore>
  readonly #tables: readonly ServingTable[]
  readonly #owners = new Map<string, { readonly epoch: number; readonly next: Map<number, number> }>()
  readonly #counts = { applied: 0, refused: 0, missed: 0 }
  readonly #failure = Promise.withResolvers<Error>()
  readonly #running: Promise<void>
  readonly failed: Promise<Error> = this.#failure.promise
  #store: ServingStore | null = null
  #trouble: Error | null = null
  #stopping = false
  #over = false
  #settling: { readonly ends: ReadonlyMap<string, number>; readonly done: PromiseWithResolvers<void> }[] = []

  constructor(world: World, log: Log, open: () => Promise<ServingStore>, tables: readonly ServingTable[]) {
    this.#world = world
    this.#log = log
    this.#open = open
    this.#tables = tables
    this.#running = this.#run().catch((error: unknown) => {
      this.#trouble = error instanceof Error ? error : new Error(String(error))
      this.#over = true
      for (const { done } of this.#settling) done.reject(this.#trouble)
      this.#failure.resolve(this.#trouble)
    })
  }

  counts(): ServingCounts {
    return { ...this.#counts }
  }
  trouble(): Error | null {
    return this.#trouble
  }
  store(): ServingStore | null {
    return this.#store
  }
  behind(): number {
    let behind = 0
    for (const [place, end] of this.#ends()) behind += Math.max(0, end - this.#at(place))
    return behind
  }
  settled(): Promise<void> {
    if (this.#over) return Promise.reject(this.#trouble ?? new Error('the serving store is closed'))
    const done = Promise.withResolvers<void>()
    this.#settling.push({ ends: this.#ends(), done })
    return done.promise
  }
  async stop(): Promise<void> {
    this.#stopping = true
    await this.#running
    this.#over = true
    await this.#store?.close()
    for (const { done } of this.#settling) done.reject(new Error('the serving store was closed'))
  }

  #ends(): Map<string, number> {
    const ends = new Map<string, number>()
    for (const { topic } of this.#tables) {
      const partitions = this.#log.topic(topic)?.partitions ?? 0
      for (let p = 0; p < partitions; p++) ends.set(`${topic}/${p}`, this.#log.offsets(topic, partitionId(p)).end)
    }
    return ends
  }
  #at(place: string): number {
    const slash = place.lastIndexOf('/')
    return this.#owners.get(place.slice(0, slash))?.next.get(Number(place.slice(slash + 1))) ?? 0
  }

  async #run(): Promise<void> {
    let againMs = againMsMin
    while (!this.#stopping) {
      try {
        this.#store ??= await this.#open()
        const moved = await this.#round(this.#store)
        this.#trouble = null
        againMs = againMsMin
        this.#settle()
        if (!moved) await this.#world.clock.sleep(lookEveryMs)
      } catch (error) {
        if (!(error instanceof ServingError) || !error.isTransient) throw error
        this.#trouble = error
        // What its transaction did is not known: everything is asked again.
        this.#owners.clear()
        await this.#world.clock.sleep(againMs)
        againMs = Math.min(againMs * 2, againMsMax)
      }
    }
  }

  #settle(): void {
    this.#settling = this.#settling.filter(({ ends, done }) => {
      if ([...ends].some(([place, end]) => this.#at(place) < end)) return true
      done.resolve()
      return false
    })
  }

  /** One transaction at the most for each partition; true if any was made. */
  async #round(store: ServingStore): Promise<boolean> {
    let moved = false
    for (const table of this.#tables) {
      const topic = this.#log.topic(table.topic)
      if (topic === null) continue
      let owner = this.#owners.get(table.topic)
      if (owner === undefined) {
        const taken: SinkOwner = await store.takeOver(table, Buffer.from(topic.id).toString('hex'))
        owner = { epoch: taken.epoch, next: new Map(taken.next) }
        this.#owners.set(table.topic, owner)
      }
      for (let partition = 0; partition < topic.partitions && !this.#stopping; partition++) {
        try {
          if (await this.#step(store, table, partition, owner)) moved = true
        } catch (error) {
          if (!(error instanceof ServingFenced)) throw error
          if (error.reason === 'owner') {
            throw new Error(
              `${error.message}: another Millrace fills this database. Stop one of the two, or give each a database of its own`,
              { cause: error },
            )
          }
          this.#owners.delete(table.topic)
          moved = true
          break
        }
      }
    }
    return moved
  }

  async #step(
    store: ServingStore,
    table: ServingTable,
    partition: number,
    owner: { readonly epoch: number; readonly next: Map<number, number> },
  ): Promise<boolean> {
    const { start, end } = this.#log.offsets(table.topic, partitionId(partition))
    const known = owner.next.get(partition)
    if (known !== undefined && known > end) {
      // The log was put back to an earlier state: what the table has beyond it never happened.
      await store.clear(table)
      throw new ServingFenced('position', `${table.topic}/${partition} ends at ${end}, before the table's ${known}`)
    }
    const from = Math.max(known ?? 0, start)
    if (from >= end) return false
    const read = await this.#log.readCommitted(table.topic, partitionId(partition), offset(from), batchBytesMax)
    // What is there belongs to a transaction that is still open.
    if (read.next === from) return false
    const { rows, deleted, refused } = rowsIn(table, partition, read.batches, from)
    await store.apply({
      table,
      partition,
      // The position moves over what retention dropped as well.
      from: known ?? from,
      to: read.next,
      isFirst: known === undefined,
      epoch: owner.epoch,
      rows,
      deleted,
    })
    owner.next.set(partition, read.next)
    this.#counts.applied += rows.length + deleted.length
    this.#counts.refused += refused
    if (known !== undefined) this.#counts.missed += from - known
    return true
  }
}

const slots = recordSlots(1024)
const decoder = new TextDecoder()

/** Of each key the newest, as a row or as taken back. */
function rowsIn(
  table: ServingTable,
  partition: number,
  batches: readonly Uint8Array[],
  from: number,
): { readonly rows: readonly SinkRow[]; readonly deleted: readonly string[]; readonly refused: number } {
  const newest = new Map<string, SinkRow | null>()
  let refused = 0
  for (const batch of batches) {
    let records: ReturnType<typeof recordsOf>
    try {
      records = recordsOf(batch)
    } catch (error) {
      if (!(error instanceof WireError)) throw error
      refused++
      continue
    }
    for (let at = records.start; at < records.end; ) {
      at = walkRecords(records.bytes, at, records.end, slots)
      for (let row = 0; row < slots.count; row++) {
        const place = baseOffset(batch) + slots.offsetDelta[row]!
        if (place < from) continue
        const text = (start: number, end: number): string => decoder.decode(records.bytes.subarray(start, end))
        const keyStart = slots.keyStart[row]!
        if (keyStart < 0 && !table.appends) {
          refused++
          continue
        }
        const key = table.appends ? `${partition}/${place}` : text(keyStart, slots.keyEnd[row]!)
        const valueStart = slots.valueStart[row]!
        if (valueStart < 0) {
          newest.set(key, null)
          continue
        }
        const cells = cellsOf(table, text(valueStart, slots.valueEnd[row]!))
        if ('refused' in cells) {
          refused++
          continue
        }
        newest.set(key, { key, offset: place, evidence: evidenceOf(records.bytes, slots.headersStart[row]!), cells })
      }
    }
  }
  const rows: SinkRow[] = []
  const deleted: string[] = []
  for (const [key, row] of newest) {
    if (row === null) deleted.push(key)
    else rows.push(row)
  }
  return { rows, deleted, refused }
}

function evidenceOf(bytes: Uint8Array, headersStart: number): string | null {
  const header = recordHeaders(bytes, headersStart).find(({ name }) => name === 'evidence')
  if (header?.value === undefined || header.value === null) return null
  const text = decoder.decode(header.value)
  try {
    JSON.parse(text)
    return text
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}
