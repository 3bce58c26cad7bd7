// Ways in which the simulation made the journal lose what it had promised, each as the shortest run that shows it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { entryKind } from '../../src/broker/journal/entry.ts'
import { openJournal } from '../../src/broker/journal/journal.ts'
import { JournalError } from '../../src/broker/journal/journal-error.ts'
import { entryHeaderBytes, placeOf } from '../../src/broker/journal/layout.ts'
import { type JournalSettings, journalDefaults } from '../../src/broker/journal/settings.ts'
import type { Plan } from '../machine.ts'
import { filesOf } from '../rot.ts'
import { type Simulation, simulate } from '../world.ts'
import { folder, makeFolder } from './life.ts'
import { collector, type FoundEntry } from './oracle.ts'

/** A new segment for every second or third entry. */
const settings: Omit<JournalSettings, 'failed'> = {
  ...journalDefaults,
  segmentBytes: 700,
  freeBytesMin: 0,
  witnessAfterMs: 1_000_000,
  journalId: new Uint8Array(16).fill(1),
}

interface Log {
  readonly simulation: Simulation
  /** First byte of each payload that was called durable, in order. */
  promised: number[]
  next: number
}
async function newLog(seed: number, survival: number): Promise<Log> {
  const simulation = simulate({ seed, sectorBytes: 512, faults: { survival } })
  await makeFolder(simulation)
  return { simulation, promised: [], next: 1 }
}

/** One life: everything promised must be there; then appends, one after the other. Answers what it found. */
async function use(
  log: Log,
  appends: number,
  options: { plan?: Plan; settings?: Partial<JournalSettings> } = {},
): Promise<FoundEntry[]> {
  const { found, replay } = collector()
  log.simulation.machine.plan(options.plan ?? null)
  const life = await log.simulation.run(async (world, process) => {
    let failed = false
    const fails = (): void => {
      failed = true
    }
    const journal = await openJournal(world, folder, { ...settings, ...options.settings, failed: fails }, replay)
    if (!process.alive) return
    const firsts = found.filter(({ kind }) => kind === entryKind.tick).map(({ payload }) => payload[0])
    for (const byte of log.promised)
      assert.ok(firsts.includes(byte), `payload ${byte} of ${log.promised} is gone: ${firsts}`)
    for (let i = 0; i < appends && !failed; i++) {
      const byte = log.next++
      try {
        const payload = new Uint8Array(50 + ((byte * 37) % 300)).fill(byte)
        const place = journal.appendGroup([{ kind: entryKind.tick, topicKey: 1, partition: 0, payload }])
        await journal.durable(place.lastLsn)
        if (process.alive) log.promised.push(byte)
      } catch (error) {
        if (!(error instanceof JournalError)) throw error
      }
    }
    if (failed) await world.clock.sleep(100) // what is under way comes to its end
  })
  if (life.end === 'threw') throw life.error
  assert.ok(life.end === 'returned' || life.end === 'crashed', life.end)
  return found
}
const operations = Array.from({ length: 40 }, (_, i) => i + 1)

test('a kill within a roll: the next start makes the begun segment durable before it goes on in it', async () => {
  for (const at of operations) {
    const log = await newLog(at, 0)
    await use(log, 6, { plan: { at, crash: 'kill' } })
    await use(log, 1) // without a roll, which would sync the folder
    log.simulation.powerCut()
    await use(log, 0)
  }
})

test('a kill of a recovery between rename and folder sync: the next start syncs the folder', async () => {
  for (const at of operations.slice(0, 12)) {
    const log = await newLog(at, 0)
    const oneSegment = { segmentBytes: 100_000 } // a roll would sync the folder
    await use(log, 6, { settings: oneSegment })
    log.simulation.powerCut()
    await use(log, 0, { plan: { at, crash: 'kill' }, settings: oneSegment })
    await use(log, 1, { settings: oneSegment })
    log.simulation.powerCut()
    await use(log, 0)
  }
})

test('a full disk during a roll: the file it left behind cannot take entries from the segment before it', async () => {
  for (let seed = 0; seed < 600; seed++) {
    const log = await newLog(seed, 0.9)
    const { machine } = log.simulation
    machine.faults = { ...machine.faults, fullOdds: 0.3 } // a write may move a part before it fails
    await use(log, 3 + (seed % 8))
    machine.faults = { ...machine.faults, fullOdds: 0 }
    machine.makeRoom()
    log.simulation.powerCut()
    await use(log, 0)
  }
})

test('a background sync that fails during a roll ends the journal, and nothing else', async () => {
  let failed = 0
  for (let seed = 0; seed < 300; seed++) {
    const log = await newLog(seed, 1)
    const { machine } = log.simulation
    machine.faults = { ...machine.faults, syncErrorOdds: 0.2 }
    // A promise that nobody waits for and that fails would end this test.
    await use(log, 30, { settings: { durability: 'process', backgroundSyncMs: 0 } })
    if (log.promised.length < 30) failed++
    machine.faults = { ...machine.faults, syncErrorOdds: 0 }
    await use(log, 1)
  }
  assert.ok(failed > 100, `only ${failed} runs failed`)
})

test('an entry that a misdirected write copied within its file is no entry there, and hides none', async () => {
  const log = await newLog(1, 1)
  const large = { segmentBytes: 100_000 }
  await use(log, 8, { settings: large })
  // The journal copies an end that nobody witnessed: these places are the last ones.
  const before = await use(log, 0, { settings: large })
  const [, file] = filesOf(log.simulation.machine.disk).find(([path]) => path.startsWith(folder))!
  const [second, fifth] = [before[1]!, before[4]!]
  const from = placeOf(fifth.position)
  file.data.copyWithin(placeOf(second.position), from, from + entryHeaderBytes)
  log.promised = log.promised.filter((byte) => byte !== second.payload[0])
  const after = await use(log, 0, { settings: large })
  assert.deepEqual(
    after.map(({ lsn }) => lsn),
    [1, 3, 4, 5, 6, 7, 8],
  )
  for (const entry of after) assert.deepEqual(entry.payload, before[entry.lsn - 1]!.payload)
})
