// One recorded run: strangers' producers, copiers and consumers on one broker, which is killed again and again while they
// work, then let finish; and the judgement of what they saw.
import { randomStream } from '../../src/std/random.ts'
import type { BrokerUnderTest } from './brokers.ts'
import { check, type Verdict } from './checker.ts'
import { CommitBook, observeCommits, observeOnce } from './commit-book.ts'
import { type Copying, copier, settle, withKafkajs, withPlatformatic } from './copiers.ts'
import { checkCopies } from './copies.ts'
import type { History } from './history.ts'
import { catchUp, RawPeer } from './raw-peer.ts'
import { assignedKcat, kcatIsThere, subscribedKafkajs, subscribedPlatformatic } from './readers.ts'
import { Recorder } from './recorder.ts'
import { type Scene, sleep, within } from './scene.ts'
import type { SequenceBook } from './sequences.ts'
import { kafkajsWriter, kcatWriter, platformaticWriter, type Target } from './writers.ts'

export interface RunSettings {
  readonly seed: string
  /** So many land: under load, or on a broker that is just starting. One that met idle clients is not counted. */
  readonly kills: number
  /** Of each life between two kills, drawn from 0 up to this. */
  readonly lifeMsMax: number
  /** Of those lives that are meant to be killed before they serve, drawn from 0 up to this; 0: there are none. */
  readonly recoveryMsMax: number
  /** Instead of being killed it may be stopped for so long (SIGSTOP, SIGCONT). */
  readonly pauseMs?: number
  /** Called once in each stop. */
  readonly whilePaused?: () => void
}
type Pace = Omit<RunSettings, 'seed' | 'kills'>
/** Our broker serves within a quarter of a second. */
export const usualRun: Pace = { lifeMsMax: 1_000, recoveryMsMax: 500 }
/** Many kills in a short time, for every run of the tests. */
export const briskRun: Pace = { lifeMsMax: 400, recoveryMsMax: 300 }
/** One that takes seconds to start. */
export const slowRun: Pace = { lifeMsMax: 4_000, recoveryMsMax: 0 }
/** Long enough for clients to give up and send again what the stopped broker has in its hands already. */
export const pausedRun: Pace = { lifeMsMax: 1_000, recoveryMsMax: 0, pauseMs: 3_500 }
export interface RunReport {
  readonly history: History
  readonly verdict: Verdict
  /** What is wrong, in words; empty = well. */
  readonly faults: readonly string[]
  /** Of all that were done. */
  readonly kills: number
  /** Kills while operations waited for their answer, and kills of a broker that was just starting. */
  readonly killsUnderLoad: number
  readonly killsWhileStarting: number
  readonly transactions: number
  /** One line for people. */
  readonly summary: string
}

const keysOfTransactions = [22, 24, 25, 26, 28]
const startMsMax = 60_000
/** For clients to do what they have begun, once no more is asked of them. */
const clientsMsMax = 45_000

export async function recordRun(broker: BrokerUnderTest, settings: RunSettings): Promise<RunReport> {
  const { seed } = settings
  const random = randomStream(seed)
  const recorder = new Recorder()
  const book = new CommitBook()
  let isOver = false
  let isCopied = false
  const troubles = new Map<string, number>()
  const scene: Scene = {
    address: broker.address,
    recorder,
    random: random.fork('clients'),
    isOver: () => isOver,
    troubles,
  }
  const copying: Scene = { ...scene, isOver: () => isCopied }
  // On a broker that others use, too, nobody else has these names.
  const name = `history-${seed.replaceAll(/[^a-zA-Z0-9]/g, '-')}-${process.pid}-${Date.now()}`
  const records: Target = { name: `${name}-records`, partitions: 3 }
  const copies: Target = { name: `${name}-copies`, partitions: 2 }
  const targets = [records, copies]
  await broker.start()
  const peer = new RawPeer(broker.address)
  const served = await peer.servedKeys()
  await createTopics(peer, targets)
  const copyings: Copying[] = keysOfTransactions.every((key) => served.has(key))
    ? [0, 1].map((partition) => ({ from: records, partition, to: copies, group: `${name}-copier-${partition}` }))
    : []
  const groups = [`${name}-group-a`, `${name}-group-b`, ...copyings.map(({ group }) => group)]
  const hasKcat = kcatIsThere()
  const working = [
    platformaticWriter(scene, records, 'patient', 3),
    platformaticWriter(scene, records, 'hasty', 1),
    kafkajsWriter(scene, records, 'patient'),
    kafkajsWriter(scene, records, 'hasty'),
    hasKcat ? kcatWriter(scene, records) : null,
  ]
  const reading = [
    hasKcat ? assignedKcat(copying, records, 2) : null,
    hasKcat && copyings.length > 0 ? assignedKcat(copying, copies, 0) : null,
    subscribedKafkajs(copying, records, groups[0]!, book),
    subscribedKafkajs(copying, records, groups[0]!, book),
    subscribedPlatformatic(copying, records, groups[1]!, book),
    observeCommits(copying, groups, targets, book),
    ...copyings.map((each, i) => copier(copying, each, i === 0 ? withKafkajs : withPlatformatic)),
  ]
  let landed: Landed
  let sequences: SequenceBook
  try {
    landed = await killAgainAndAgain(broker, recorder, random.fork('kills'), settings)
    isOver = true
    await within(clientsMsMax, 'the end of the producers', Promise.all(working))
    await untilCopied(peer, records, copyings)
    isCopied = true
    await within(clientsMsMax, 'the end of the consumers', Promise.all(reading))
    for (const each of copyings) await settle(scene, each)
    sequences = await catchUp(broker.address, recorder, targets)
    for (const group of groups) await observeOnce(peer, group, targets, book)
  } catch (error) {
    throw new Error(`seed ${seed}: ${error}; ${troublesOf(scene)}`, { cause: error })
  } finally {
    // Whatever went wrong, nobody goes on knocking at a broker that is no more.
    isOver = true
    isCopied = true
  }
  book.checkEnds(await endsOf(peer, targets))
  peer.close()

  const history = recorder.history(true)
  const verdict = check(history)
  const copied = new Map(copyings.map(({ group, partition }) => [group, recorder.keyOf(records.name, partition)]))
  const { findings } = verdict
  const faults = [
    ...(findings.faults().length > 0 ? [findings.text(findings.faults())] : []),
    ...checkCopies(history.ops, recorder.copies, copied),
    ...book.faults,
    ...sequences.faults,
  ]
  const transactions = history.ops.filter(({ kind, outcome }) => kind === 'txn' && outcome === 'ok').length
  const unclear = history.ops.filter(({ outcome, sends }) => outcome === 'info' && sends.length > 0).length
  const summary =
    `${landed.kills} kills (${landed.underLoad} under load, ${landed.whileStarting} while starting; ready again after ${(landed.readyMs[landed.readyMs.length >> 1] ?? 0).toFixed(0)} ms in ` +
    `the median, ${(landed.readyMs.at(-1) ?? 0).toFixed(0)} at most), ${verdict.ops} operations, ` +
    `${verdict.sent} records sent, ${recorder.acked} acknowledged, ${verdict.read} read, ${unclear} unclear; ` +
    `${copyings.length === 0 ? 'no transactions served' : `${transactions} transactions committed`}; ` +
    `${book.commits} group commits in ${book.observations} observations; ` +
    `seen after ${verdict.lagMs.median.toFixed(0)} ms in the median, ${verdict.lagMs.most.toFixed(0)} at most` +
    `${
      findings.allowed().length > 0
        ? `; allowed: ${findings
            .allowed()
            .map((each) => `${each} x ${findings.get(each)?.count}`)
            .join(', ')}`
        : ''
    }`
  return {
    history,
    verdict,
    faults,
    kills: landed.kills,
    killsUnderLoad: landed.underLoad,
    killsWhileStarting: landed.whileStarting,
    transactions,
    summary,
  }
}

interface Landed {
  readonly kills: number
  readonly underLoad: number
  readonly whileStarting: number
  /** From start to serving, sorted. */
  readonly readyMs: readonly number[]
}
async function killAgainAndAgain(
  broker: BrokerUnderTest,
  recorder: Recorder,
  random: ReturnType<typeof randomStream>,
  { kills, lifeMsMax, recoveryMsMax, pauseMs, whilePaused }: RunSettings,
): Promise<Landed> {
  const readyMs: number[] = []
  const start = async (): Promise<void> => {
    const fromMs = performance.now()
    await broker.start()
    readyMs.push(performance.now() - fromMs)
  }
  let underLoad = 0
  let whileStarting = 0
  // Work has to have begun for the first kill to mean anything.
  await acknowledged(recorder, 20)
  let done = 0
  while (underLoad + whileStarting < kills) {
    if (done >= 2 * kills + 10) throw new Error(`${done} kills, and only ${underLoad + whileStarting} of them landed`)
    // One in five meets a broker that has just begun to start.
    if (done++ > 0 && recoveryMsMax > 0 && random.below(5) === 0) {
      await broker.kill()
      await broker.startAndKill(random.below(recoveryMsMax))
      await start()
      whileStarting++
      continue
    }
    const before = recorder.acked
    await sleep(random.below(lifeMsMax))
    if (recorder.inFlight > 0 || recorder.acked > before) underLoad++
    if (pauseMs === undefined) {
      await broker.kill()
      await start()
    } else {
      broker.pause()
      whilePaused?.()
      await sleep(pauseMs)
      broker.resume()
    }
    // A life in which clients have not come back yet would be a kill that proves nothing; a few may be as short.
    if (random.below(3) > 0) await acknowledged(recorder, recorder.acked - before === 0 ? 1 : 20)
  }
  await acknowledged(recorder, 20)
  return { kills: done, underLoad, whileStarting, readyMs: readyMs.sort((a, b) => a - b) }
}
async function acknowledged(recorder: Recorder, more: number): Promise<void> {
  const goal = recorder.acked + more
  const lastMs = performance.now() + startMsMax
  while (recorder.acked < goal) {
    if (performance.now() > lastMs) throw new Error(`nothing is acknowledged any more (${recorder.acked} so far)`)
    await sleep(10)
  }
}

const troublesOf = ({ troubles }: Scene): string =>
  `troubles of clients:\n${[...troubles].map(([what, times]) => `    ${times} x ${what}`).join('\n')}`

async function createTopics(peer: RawPeer, targets: readonly Target[]): Promise<void> {
  const answer = await peer.ask('createTopics', 4, {
    topics: targets.map(({ name, partitions }) => ({
      name,
      numPartitions: partitions,
      replicationFactor: 1,
      assignments: [],
      configs: [],
    })),
    timeoutMs: 10_000,
    validateOnly: false,
  })
  for (const { name, errorCode } of answer.topics) {
    if (errorCode !== 0) throw new Error(`topic ${name} could not be created: error ${errorCode}`)
  }
  await sleep(300)
}

async function endsOf(peer: RawPeer, targets: readonly Target[]): Promise<(place: string) => number> {
  const ends = new Map<string, number>()
  for (const { name, partitions } of targets) {
    const answer = await peer.ask('listOffsets', 4, {
      replicaId: -1,
      isolationLevel: 0,
      topics: [
        {
          name,
          partitions: Array.from({ length: partitions }, (_, partitionIndex) => ({
            partitionIndex,
            currentLeaderEpoch: -1,
            timestamp: -1,
          })),
        },
      ],
    })
    for (const { partitionIndex, offset } of answer.topics[0]!.partitions) ends.set(`${name}/${partitionIndex}`, offset)
  }
  return (place) => ends.get(place) ?? 0
}

async function untilCopied(peer: RawPeer, from: Target, copyings: readonly Copying[]): Promise<void> {
  for (const { group, partition } of copyings) {
    const place = `${from.name}/${partition}`
    let lastMs = performance.now() + startMsMax
    let before = -1
    for (;;) {
      const end = (await endsOf(peer, [from]))(place)
      const at = (await peer.committed(group, [from]).catch(() => new Map<string, number>())).get(place) ?? 0
      if (at >= end) break
      // However slow the machine is: as long as there is any progress, it is waited for.
      if (at > before) lastMs = performance.now() + startMsMax
      before = at
      if (performance.now() > lastMs) throw new Error(`${group} is stuck at ${at} of ${end}`)
      await sleep(50)
    }
  }
}
