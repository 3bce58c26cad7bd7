// One life of a journal in the simulated world: open it, compare what it found, then append, wait, read until it dies.
import { entryKind } from '../../src/broker/journal/entry.ts'
import { type Journal, openJournal } from '../../src/broker/journal/journal.ts'
import { JournalError } from '../../src/broker/journal/journal-error.ts'
import type { NewEntry } from '../../src/broker/journal/new-entry.ts'
import { type JournalFaults, type JournalSettings, journalDefaults } from '../../src/broker/journal/settings.ts'
import { crc32c } from '../../src/std/crc32c.ts'
import type { RandomStream } from '../../src/std/random.ts'
import { FsError, type World } from '../../src/world/world.ts'
import type { SimProcess, Simulation } from '../world.ts'
import { checkReader, collector, type ExpectedEntry, type ExpectedGroup, must, type Oracle } from './oracle.ts'

export const folder = '/journal'
export type DrawnSettings = Omit<JournalSettings, 'failed'>

export const pick = <T>(random: RandomStream, ...choices: readonly T[]): T => choices[random.below(choices.length)]!

/** Limits small enough that a short script meets all of them. */
export function drawSettings(random: RandomStream, faults: JournalFaults): DrawnSettings {
  return {
    ...journalDefaults,
    durability: random.below(10) === 0 ? 'process' : 'power',
    segmentBytes: pick(random, 4_000, 20_000, 90_000, 250_000),
    flushBytesMax: pick(random, 1, 2_000, 100_000),
    pendingBytesMax: pick(random, 30_000, 1_000_000),
    groupBytesMax: 250_000,
    cacheBytes: pick(random, 0, 0, 1 << 24),
    openFilesMax: pick(random, 1, 64),
    witnessAfterMs: pick(random, 3, 30, 1000),
    backgroundSyncMs: pick(random, 2, 50),
    lingerMs: pick(random, 0, 0, 2),
    freeBytesMin: pick(random, 0, 1),
    recopyBytesMax: pick(random, 0, 3_000, 1 << 20),
    journalId: random.fill(new Uint8Array(16)),
    faults,
  }
}

/** How a start or a life ended for a reason that is not a violation. */
export type LifeResult = 'closed' | 'left' | 'failed' | 'did not open'

export interface LifeScript {
  readonly random: RandomStream
  readonly oracle: Oracle
  readonly settings: DrawnSettings
  readonly steps: number
  /** Large payloads make entries that span blocks; without them many small entries share a sector. */
  readonly large: boolean
  /** What the environment may do to a start: with no faults, opening must succeed. */
  readonly mayFailToOpen: boolean
}

export async function runLife(world: World, process: SimProcess, script: LifeScript): Promise<LifeResult> {
  const { random, oracle } = script
  const { found, replay } = collector()
  let failure: JournalError | null = null
  const failed = (error: JournalError): void => {
    failure = error
  }
  let journal: Journal
  try {
    journal = await openJournal(world, folder, { ...script.settings, failed }, replay)
  } catch (error) {
    if (!process.alive) return 'left'
    const expected =
      error instanceof FsError || (error instanceof JournalError && ['FULL', 'FAILED'].includes(error.code))
    if (script.mayFailToOpen && expected) return 'did not open'
    throw error
  }
  if (!process.alive) return 'left'
  must(journal.damage.ranges.length === 0, () => `a crash was taken for damage: ${JSON.stringify(journal.damage)}`)
  oracle.check(found)
  oracle.settle(found)
  must(journal.lastLsn === found.length && journal.durableLsn === found.length, () => 'the journal opened elsewhere')
  checkReader(journal, oracle, 0, Number.POSITIVE_INFINITY)

  const places = found.map(({ lsn, kind, segment, position, payload }) => ({
    lsn,
    kind,
    segment,
    position,
    payloadBytes: payload.length,
  }))
  for (let step = 0; step < script.steps && failure === null; step++) {
    if (!process.alive) return 'left'
    const what = random.below(20)
    if (what < 11) append(journal, script, process, () => failure !== null, places)
    else if (what < 14) await world.clock.sleep(random.float() * pick(random, 1, 10, 10, 1500))
    else if (what < 17) await journal.durable(journal.lastLsn).catch(() => {})
    else if (what < 18 && journal.durableLsn > 0)
      checkReader(journal, oracle, random.below(journal.durableLsn), 1 + random.below(20))
    else if (places.length > 0) checkRead(journal, oracle, places[random.below(places.length)]!)
  }
  // What the journal still had under way when it failed comes to its end.
  if (failure !== null && random.below(2) === 0) await world.clock.sleep(20)
  if (!process.alive || failure !== null) return failure === null ? 'left' : 'failed'
  if (random.below(3) === 0) return 'left'
  try {
    await journal.close()
  } catch (error) {
    if (failure !== null) return 'failed'
    throw error
  }
  return 'closed'
}

type Placed = { lsn: number; kind: number; segment: number; position: number; payloadBytes: number }

function checkRead(journal: Journal, oracle: Oracle, place: Placed): void {
  if (place.lsn > journal.durableLsn) return
  const expected = oracle.at(place.lsn)
  const payload = journal.read(place)
  must(
    expected === null || Buffer.compare(payload, expected.payload) === 0,
    () => `read gave other bytes for ${place.lsn}`,
  )
}

function append(
  journal: Journal,
  script: LifeScript,
  process: SimProcess,
  hasFailed: () => boolean,
  places: Placed[],
): void {
  const { random, oracle } = script
  const entries = Array.from({ length: random.below(3) === 0 ? 1 + random.below(5) : 1 }, () =>
    drawEntry(random, script.large),
  )
  // Outcomes may come before `appendGroup` has returned the place: none does, but the oracle should not depend on it.
  let group: ExpectedGroup | null = null
  const settled = (run: (group: ExpectedGroup) => void): void => {
    if (!process.alive) return // said by the dying, heard by nobody
    must(group !== null, () => 'an outcome came before its group had a place')
    run(group)
  }
  try {
    const place = journal.appendGroup(
      entries.map(({ given }) => given),
      {
        durable: () =>
          settled((of) => {
            must(
              of.place.lastLsn <= journal.durableLsn,
              () => `group ${of.place.firstLsn} was called durable too early`,
            )
            of.state = script.settings.durability === 'power' ? 'promised' : 'written'
          }),
        undone: (error) =>
          settled((of) => {
            must(of.state === 'open', () => `group ${of.place.firstLsn} was undone after it was ${of.state}`)
            if (error.code === 'FULL') {
              oracle.takenBack(of)
              while (places.length > 0 && places.at(-1)!.lsn >= of.place.firstLsn) places.pop()
            }
            // FAILED: nobody knows; the next start may find it or not.
          }),
      },
    )
    if (!process.alive) return
    group = { entries: entries.map(({ stored }) => stored), place, state: 'open' }
    oracle.given(group)
    for (const [i, { stored }] of entries.entries()) {
      places.push({
        lsn: place.firstLsn + i,
        kind: stored.kind,
        segment: place.segment,
        position: place.positions[i]!,
        payloadBytes: stored.payload.length,
      })
    }
  } catch (error) {
    const refused = error instanceof JournalError && ['FULL', 'SLOW', 'FAILED'].includes(error.code)
    if (!refused) throw error
    must(error.code !== 'FAILED' || hasFailed(), () => 'an append was refused by a journal that had not failed')
  }
}

/** An entry as it is given, and as it must be found. */
function drawEntry(random: RandomStream, large: boolean): { given: NewEntry; stored: ExpectedEntry } {
  const size = random.below(10)
  const length = size < 7 ? random.below(400) : size < 9 || !large ? random.below(3000) : random.below(80_000)
  const topicKey = 1 + random.below(3)
  const partition = random.below(2)
  if (random.below(3) > 0) {
    const payload = fill(new Uint8Array(length), random.u32())
    const common = { kind: entryKind.tick, topicKey, partition, payload }
    return { given: common, stored: { ...common, payload: payload.slice() } }
  }
  const batch = fill(new Uint8Array(61 + length), random.u32())
  const view = new DataView(batch.buffer)
  view.setBigUint64(0, 0n)
  view.setUint32(8, batch.length - 12)
  view.setUint32(17, crc32c(batch, 21))
  const stored = batch.slice()
  const baseOffset = random.below(1_000_000)
  new DataView(stored.buffer).setBigUint64(0, BigInt(baseOffset))
  new DataView(stored.buffer).setUint32(12, 0)
  const common = { kind: entryKind.batch, topicKey, partition }
  return { given: { ...common, payload: batch, baseOffset }, stored: { ...common, payload: stored } }
}

/** Bytes that no other payload has. */
function fill(bytes: Uint8Array, seed: number): Uint8Array {
  let state = seed | 1
  for (let i = 0; i < bytes.length; i++) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    bytes[i] = state
  }
  return bytes
}

/** The journal's folder, durable before a journal is opened in it. */
export async function makeFolder(simulation: Simulation): Promise<void> {
  await simulation.run(async (world) => {
    world.fs.mkdir(folder)
    await world.fs.syncFolder('/')
  })
}
