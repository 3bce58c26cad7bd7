// Bytes that rot at rest or under an open journal: never a wrong byte is served, what was durable and is gone is named,
// nothing far from the rot is lost, and nothing that is damaged is removed.

import { openJournal } from '../../src/broker/journal/journal.ts'
import { JournalError } from '../../src/broker/journal/journal-error.ts'
import { blockBytes, entryHeaderBytes, fileBytesOf, placeOf, segmentName } from '../../src/broker/journal/layout.ts'
import type { JournalFaults } from '../../src/broker/journal/settings.ts'
import { filesOf, type Rot, rot } from '../rot.ts'
import { type Simulation, simulate } from '../world.ts'
import { drawSettings, folder, type LifeScript, makeFolder, pick, runLife } from './life.ts'
import { checkReader, collector, type FoundEntry, must, Oracle } from './oracle.ts'

export interface RotMet {
  rotted: number
  /** Runs in which the start named damage, or a reader met it. */
  named: number
  metByReader: number
  /** Runs in which the rot took an end that nothing had witnessed. */
  cutTails: number
  /** Runs in which everything was still there: the rot hit what nobody needs. */
  harmless: number
}

export function blankRotMet(): RotMet {
  return { rotted: 0, named: 0, metByReader: 0, cutTails: 0, harmless: 0 }
}

/** Throws a Violation if a promise is broken. */
export async function runRotSeed(seed: string, faults: JournalFaults, met: RotMet): Promise<void> {
  const simulation = simulate({ seed: `rot/${seed}` })
  const random = simulation.random.fork('rot')
  await makeFolder(simulation)
  const oracle = new Oracle()
  const settings = {
    ...drawSettings(random, faults),
    durability: 'power' as const,
    cacheBytes: 0,
    segmentBytes: pick(random, 20_000, 250_000, 1_000_000),
  }
  const script: LifeScript = {
    random: random.fork('life'),
    oracle,
    settings,
    steps: 40,
    large: random.below(3) > 0,
    mayFailToOpen: false,
  }
  for (let life = 0; life < 2; life++) await whole(simulation, (world, process) => runLife(world, process, script))

  let before: readonly FoundEntry[] = []
  const spots: Rot[] = []
  await whole(simulation, async (world) => {
    const { found, replay } = collector()
    const journal = await openJournal(world, folder, { ...settings, failed: () => {} }, replay)
    oracle.check(found)
    before = found
    const sort = pick(random, 'flipped bit', 'flipped bit', 'zeroed sector', 'misplaced sector')
    const files = filesOf(simulation.machine.disk).filter(([path]) => path.startsWith(folder))
    for (let i = random.below(2); i >= 0 && files.length > 0; i--) {
      const spot = rot(simulation.machine.disk, files[random.below(files.length)]![0], random, sort)
      if (spot !== null) spots.push(spot)
    }
    try {
      checkReader(journal, oracle, 0, Number.POSITIVE_INFINITY)
    } catch (error) {
      if (!(error instanceof JournalError && error.code === 'DAMAGED')) throw error
      met.metByReader++
    }
  })
  if (spots.length === 0) return
  met.rotted++

  let lost = new Set<number>()
  await whole(simulation, async (world) => {
    const { found, replay } = collector()
    const journal = await openJournal(world, folder, { ...settings, failed: () => {} }, replay)
    lost = checkFound(before, found, spots, journal.damage.ranges)
    if (journal.damage.ranges.length > 0) met.named++
    else if (found.length < before.length) met.cutTails++
    else met.harmless++
    for (const { path, next } of journal.damage.ranges) {
      for (const kept of [path, next?.path])
        if (kept !== undefined) must(world.fs.stat(kept) !== null, () => `${kept} is damaged, and gone`)
    }
    // What was cut above the witness is no promise of this log any more.
    oracle.groups = oracle.groups.filter(({ place }) => place.firstLsn <= journal.lastLsn)
    oracle.check(found, (lsn) => lost.has(lsn))
    checkReader(journal, oracle, 0, Number.POSITIVE_INFINITY)
    const group = { kind: 4, topicKey: 1, partition: 0, payload: new Uint8Array(100).fill(7) } as const
    const place = journal.appendGroup([group])
    oracle.given({ entries: [group], place, state: 'open' })
    await journal.durable(place.lastLsn)
    oracle.groups.at(-1)!.state = 'promised'
  })
  simulation.powerCut()
  await whole(simulation, async (world) => {
    const { found, replay } = collector()
    const journal = await openJournal(world, folder, { ...settings, failed: () => {} }, replay)
    const named = new Set(lsnsOf(journal.damage.ranges))
    for (const lsn of lost) must(named.has(lsn), () => `the loss of entry ${lsn} was named once and then forgotten`)
    // What the rot hit may have been served from an older copy, which a power cut may take: then it is named now.
    for (const lsn of named) {
      const entry = before[lsn - 1]
      const hit = lost.has(lsn) || (entry !== undefined && touched(before, entry, spots))
      must(hit, () => `entry ${lsn} was found after the rot, and is lost now`)
    }
    oracle.check(found, (lsn) => named.has(lsn))
  })
}

async function whole(simulation: Simulation, main: Parameters<Simulation['run']>[0]): Promise<void> {
  const result = await simulation.run(main)
  if (result.end === 'threw') throw result.error
  must(result.end === 'returned', () => `the life ${result.end}`)
}

function* lsnsOf(ranges: readonly { readonly firstLsn: number; readonly lastLsn: number }[]): Generator<number> {
  for (const { firstLsn, lastLsn } of ranges) for (let lsn = firstLsn; lsn <= lastLsn; lsn++) yield lsn
}

/** Compares what is found with what was there. Answers the LSNs that were lost and named. */
function checkFound(
  before: readonly FoundEntry[],
  found: readonly FoundEntry[],
  spots: readonly Rot[],
  ranges: readonly { readonly firstLsn: number; readonly lastLsn: number }[],
): Set<number> {
  const named = new Set(lsnsOf(ranges))
  const there = new Map(found.map((entry) => [entry.lsn, entry]))
  // What lies in blocks without rot can be read for certain, and so can what it says was durable.
  const witness = Math.max(
    0,
    ...before.filter((entry) => !touched(before, entry, spots)).map((entry) => entry.syncedTo),
  )
  const firstHit = before.find((entry) => touched(before, entry, spots))?.lsn ?? Number.POSITIVE_INFINITY
  for (const entry of before) {
    const now = there.get(entry.lsn)
    if (now !== undefined) {
      must(Buffer.compare(now.payload, entry.payload) === 0, () => `entry ${entry.lsn} is served with wrong bytes`)
      must(!named.has(entry.lsn), () => `entry ${entry.lsn} is there and named as lost`)
      continue
    }
    if (entry.lsn <= witness) {
      must(
        named.has(entry.lsn),
        () => `entry ${entry.lsn} was durable (${witness} is witnessed), is lost, and not named`,
      )
    }
    const tail = entry.lsn > witness && entry.lsn - entry.groupIndex + entry.groupCount > firstHit
    must(tail || touched(before, entry, spots), () => `entry ${entry.lsn} is lost, far from the rot`)
  }
  for (const entry of found) must(entry.lsn <= before.length, () => `entry ${entry.lsn} came from nowhere`)
  return named
}

/** Does the rot lie in a block that holds a part of the entry? */
function touched(before: readonly FoundEntry[], entry: FoundEntry, spots: readonly Rot[]): boolean {
  const startLsn = before.find((other) => other.segment === entry.segment)!.lsn
  const path = `${folder}/${segmentName(startLsn)}`
  const from = Math.floor(placeOf(entry.position) / blockBytes)
  const to = Math.floor((fileBytesOf(entry.position + entryHeaderBytes + entry.payload.length) - 1) / blockBytes)
  return spots.some(
    (spot) =>
      spot.path === path && Math.floor(spot.from / blockBytes) <= to && Math.floor((spot.to - 1) / blockBytes) >= from,
  )
}
