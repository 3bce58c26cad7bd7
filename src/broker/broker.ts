// The door of `broker/`: opens the embedded broker on a data directory, or in memory. Records in order, durable before
// it says so; a `Log` for the house, the Kafka protocol for everyone else.
import { assert } from '../std/assert.ts'
import { noLog, type WriteLog } from '../std/log-line.ts'
import type { World } from '../world/world.ts'
import { type Backup, backupFiles } from './care/backup.ts'
import { type Inventory, inventoryOf } from './care/inventory.ts'
import { Scrub, type ScrubSettings, type ScrubStats, scrubDefaults } from './care/scrub.ts'
import { type CompactionStats, Compactor } from './compaction/compactor.ts'
import type { BrokerCore } from './core.ts'
import { idText, takeDataDirectory } from './data-directory.ts'
import { EmbeddedLog } from './embedded-log.ts'
import { type GroupLag, groupLags } from './group-lag.ts'
import { GroupCoordinator } from './groups/coordinator.ts'
import type { GroupSettings } from './groups/settings.ts'
import type { JournalStats } from './journal/journal.ts'
import type { JournalError } from './journal/journal-error.ts'
import { memoryFileSystem } from './journal/memory-files.ts'
import { journalDefaults } from './journal/settings.ts'
import { LogManagement, type LogManagementStats } from './log-management.ts'
import { openTiers, type TierSettings } from './opening.ts'
import { blankState, replayOf } from './replay.ts'
import { type ListenerSettings, saslOf } from './security/listener.ts'
import { securityOf } from './security/security.ts'
import { type KafkaServer, serveKafka, sharedOf } from './server/server.ts'
import { type ServerCounts, Telemetry } from './server/telemetry.ts'
import { type SettlingTimeSettings, settlingTimeDefaults } from './settling-time.ts'
import type { TransactionSettings } from './transactions/settings.ts'

export type { GroupLag, PartitionLag } from './group-lag.ts'
export type { ListenerSettings } from './security/listener.ts'
export { type ApiCounts, durationBoundsSeconds, type ServerCounts } from './server/telemetry.ts'

export interface BrokerSettings {
  /** Made if it is not there. Null: everything in memory, nothing on disk, gone at the end. */
  readonly dataDir: string | null
  /** `power`: acknowledged = on disk. `process`: acknowledged = written; a power cut may take the last second. */
  readonly durability: 'power' | 'process'
  /** Default 1. */
  readonly nodeId?: number
  /** Topics are made on first use with so many partitions; null: they are not. Default 1 partition. */
  readonly autoCreate?: { readonly partitions: number } | null
  /** Partitions of all topics together. Default 10,000. */
  readonly partitionsMax?: number
  /** Followers open at a time. Default 1,000. */
  readonly followersMax?: number
  /** Of the journal's newest bytes, kept in memory for readers at the tail. Default 32 MiB. */
  readonly cacheBytes?: number
  /** Of a journal segment. Default 128 MiB. */
  readonly segmentBytes?: number
  /** Records are refused while the disk has less room. Default 256 MiB, at least 2 segments. 0: it is not asked. */
  readonly freeBytesMin?: number
  /** Waiting for the disk at most; more is refused, to be retried. Default 128 MiB. */
  readonly pendingBytesMax?: number
  /** Of one atomic commit. Default 64 MiB. */
  readonly commitBytesMax?: number
  /** When idle, wait so long for others to join a write, 0 to 5. Default 0 = at once. */
  readonly lingerMs?: number
  /** Limits and timeouts of consumer groups (groups/settings.ts). */
  readonly groups?: Partial<GroupSettings>
  /** Told of openings, closings, refused peers, troubles. Default: nobody. */
  readonly log?: WriteLog
  /** May do everything; each a name or a principal (`User:name`). With one of them, access control is on. */
  readonly superUsers?: readonly string[]
  /** Who may log in, beside those that administrators add; their passwords are changed here, not by the protocol. */
  readonly users?: readonly { readonly user: string; readonly password: string }[]
  /** Limits and timeouts of transactions (transactions/settings.ts). */
  readonly transactions?: Partial<TransactionSettings>
  /** What a broker in memory may hold in all. Default 512 MiB. */
  readonly memoryBytesMax?: number
  /** How the log is kept in bounds. A broker in memory keeps all, up to its limit. */
  readonly retention?: Partial<RetentionSettings>
  /** How all settled files are read once a day, to find what the disk has lost. */
  readonly scrub?: Partial<ScrubSettings>
}
export interface RetentionSettings {
  /** False: the journal is not settled, and nothing is dropped. */
  readonly settles: boolean
  /** Segments of the journal together. Default 1 GiB, at least 4 segments. */
  readonly journalBytesMax: number
  /** What is so old leaves the journal, however little it is: only then can it be dropped. Default 10 min. */
  readonly settleAfterMs: number
  /** While appends come fast, full segments wait to leave the journal (settling-time.ts). */
  readonly settlingTime: SettlingTimeSettings
  /** Retention is looked at this often. Default 30 s. */
  readonly checkEveryMs: number
  /** The whole log, for topics that do not say themselves what they keep. Default 20 % of the disk. */
  readonly logBytesMax: number
  /** What paused jobs may keep beyond retention. Default 10 % of the disk, at most 4 GiB. */
  readonly pinnedBytesMax: number
  /** Of a file of a partition, where its topic does not say less (`segment.bytes`). Default 256 MiB. */
  readonly fileBytesMax: number
  /** For tests: sizes of the keeper's steps, and its mistakes on purpose. */
  readonly tiers: Partial<TierSettings>
}

export interface BrokerStats {
  readonly topics: number
  readonly partitions: number
  readonly followers: number
  readonly jobs: number
  /** Open connections of the Kafka protocol. */
  readonly connections: number
  readonly journal: JournalStats
  readonly compaction: CompactionStats
  readonly scrub: ScrubStats
  readonly retention: LogManagementStats
  readonly server: ServerCounts
}

export interface Broker extends BrokerCore {
  /**
   * Serves the Kafka protocol there; port 0 picks one. Rejects with a NetError if the address cannot be had, with a
   * ListenerRefused if it would be open to anybody. Clients are told to come to the advertised address, or else where
   * they already did.
   */
  listen(listener: ListenerSettings): Promise<{ readonly host: string; readonly port: number }>
  stats(): BrokerStats
  /**
   * All of the log as it is durable now, in a folder that is empty or not there, while writes go on. Rejects with a
   * BackupError or an FsError. Not of a broker in memory.
   */
  backup(folder: string): Promise<Backup>
  /** Topics with their ranges, groups, jobs, damage: all of it, so not for every second. */
  inventory(): Inventory
  /** How far each consumer group is behind; ages are looked up for at most 500 partitions. */
  groupLags(): Promise<readonly GroupLag[]>
  /** Why it is not well (damage on disk, a failed sync, no room on the disk at the moment), or null. */
  trouble(): Error | null
  /** The trouble is one that passes: records are refused or wait, reads go on, and it takes records again by itself. */
  isPaused(): boolean
  /** Resolves with the reason when the disk failed: nothing more is taken, the process should end (exit code 70). */
  readonly failed: Promise<Error>
  /** Stops serving, makes everything durable, gives the data directory back. Rejects if the journal has failed. */
  close(): Promise<void>
}

/** Throws a ListenerRefused for one that would be open to anybody and was not said to be; as `listen` does. */
export function checkListener(listener: ListenerSettings): void {
  saslOf(listener)
}

/** The data directory holds entries that were durable and are damaged; what they touch is read-only. */
export class DamagedDataError extends Error {
  override name = 'DamagedDataError'
}

/**
 * Rejects with a DataDirectoryError (in use, newer or broken format), a JournalError (newer format, foreign files,
 * storage that fails) or an FsError; then nothing was changed.
 */
export async function openBroker(world: World, settings: BrokerSettings): Promise<Broker> {
  const write = settings.log ?? noLog
  const beganMs = world.clock.monoMs()
  const lingerMs = settings.lingerMs ?? 0
  assert(lingerMs >= 0 && lingerMs <= 5, `lingerMs is 0 to 5, not ${lingerMs}`)
  const segmentBytes = settings.segmentBytes ?? journalDefaults.segmentBytes
  const place: Place =
    settings.dataDir === null
      ? inMemory(world, settings.memoryBytesMax ?? 512 * 1024 * 1024)
      : { world, ...(await takeDataDirectory(world, settings.dataDir)) }
  let fail: (error: Error) => void = () => {}
  const failed = new Promise<Error>((resolve) => {
    fail = resolve
  })
  let failure: JournalError | null = null
  try {
    const retention = retentionOf(place, settings, segmentBytes)
    const replay = replayOf(blankState(place.id, settings.partitionsMax ?? 10_000))
    const freeBytesMin = settings.freeBytesMin ?? Math.max(journalDefaults.freeBytesMin, 2 * segmentBytes)
    const tiers = await openTiers(
      place.world,
      { journalFolder: place.journalFolder, settledFolder: place.settledFolder, inMemory: settings.dataDir === null },
      replay,
      {
        ...journalDefaults,
        durability: settings.durability,
        segmentBytes,
        lingerMs,
        cacheBytes: settings.cacheBytes ?? journalDefaults.cacheBytes,
        pendingBytesMax: settings.pendingBytesMax ?? journalDefaults.pendingBytesMax,
        groupBytesMax: settings.commitBytesMax ?? journalDefaults.groupBytesMax,
        freeBytesMin: settings.dataDir === null ? 0 : freeBytesMin,
        reserve: place.reserve === null ? null : { path: place.reserve, sizeBytes: reserveBytes(freeBytesMin) },
        journalId: place.id,
        bytesMax: retention.settles ? retention.journalBytesMax : Number.POSITIVE_INFINITY,
        failed: (error) => {
          failure = error
          write('error', 'broker', 'the journal failed: nothing more is taken', { err: error })
          fail(error)
        },
      },
      { keeper: {}, faults: {}, openFilesMax: 256, ...retention.tiers },
    )
    const { journal, damage } = tiers
    replay.state.topics.beginEpoch(place.leaderEpoch)
    const log = new EmbeddedLog(world, tiers, replay.state, {
      clusterId: place.clusterId,
      nodeId: settings.nodeId ?? 1,
      dataDir: settings.dataDir,
      autoCreate: settings.autoCreate === undefined ? { partitions: 1 } : settings.autoCreate,
      followersMax: settings.followersMax ?? 1000,
      transactions: settings.transactions,
    })
    const quarantine = place.quarantine
    const management = new LogManagement(
      world,
      tiers,
      replay.state,
      () => log.pins(),
      { ...retention, quarantine },
      write,
    )
    management.start()
    const { checkEveryMs, fileBytesMax, pinnedBytesMax } = retention
    const compactor = new Compactor(
      world,
      tiers,
      replay.state,
      () => log.pins(),
      { journalId: place.id, checkEveryMs, fileBytesMax, pinnedBytesMax },
      write,
    )
    if (retention.settles) compactor.start()
    const nameOf = (key: number): string => replay.state.topics.byKey(key)?.info.name ?? `topic ${key}`
    const scrub = new Scrub(world, tiers.settled, nameOf, { ...scrubDefaults, ...settings.scrub }, write)
    if (retention.settles) scrub.start()
    const groups = new GroupCoordinator(world, log, settings.groups)
    groups.start()
    const security = securityOf(world, log.settings, settings.superUsers)
    if (settings.users !== undefined && settings.users.length > 0) {
      await security.credentials.prepare((count) => world.host.secretBytes(count))
      security.credentials.give(settings.users)
    }
    log.transactions.start()
    const servers: KafkaServer[] = []
    const shared = sharedOf(world, log)
    const telemetry = new Telemetry()
    let closing: Promise<void> | null = null
    const close = async (): Promise<void> => {
      for (const server of servers) await server.close()
      write('info', 'broker', 'closed', {})
      groups.close()
      log.close()
      try {
        scrub.close()
        await compactor.close()
        await management.close()
        await journal.close()
      } finally {
        place.release()
      }
    }
    const trouble = damage === null ? null : new DamagedDataError(damage)
    if (trouble !== null) write('error', 'broker', 'the data directory is damaged', { err: trouble })
    const { segments, fileBytes, copiedEntries } = journal.stats()
    write('info', 'broker', 'opened', {
      dataDir: settings.dataDir,
      durability: settings.durability,
      topics: replay.state.topics.all().length,
      segments,
      journalBytes: fileBytes,
      settledBytes: tiers.settled.bytes,
      logBytesMax: retention.settles ? retention.logBytesMax : null,
      copiedEntries,
      tookMs: Math.round(world.clock.monoMs() - beganMs),
    })
    return {
      ...doorsOf(log),
      get configDefaults() {
        return log.configDefaults
      },
      get partitions() {
        return log.partitions
      },
      get journalEnd() {
        return log.journalEnd
      },
      async deleteTopic(name) {
        await log.deleteTopic(name)
        management.look()
      },
      async deleteRecords(topic, partition, before) {
        const start = await log.deleteRecords(topic, partition, before)
        management.look()
        return start
      },
      async listen(listener) {
        const server = await serveKafka(world, log, groups, { ...listener, telemetry, log: write, shared }, security)
        servers.push(server)
        write('info', 'broker', 'listening', { host: server.host, port: server.port })
        return { host: server.host, port: server.port }
      },
      stats: () => ({
        topics: replay.state.topics.all().length,
        partitions: replay.state.topics.partitions,
        followers: log.followers,
        jobs: replay.state.jobs.size,
        connections: servers.reduce((sum, server) => sum + server.connections, 0),
        journal: journal.stats(),
        retention: management.stats(),
        compaction: compactor.stats(),
        scrub: scrub.stats(),
        server: telemetry.counts(),
      }),
      trouble: () =>
        failure ??
        trouble ??
        management.trouble() ??
        compactor.trouble() ??
        scrub.trouble() ??
        journal.pause() ??
        slowDisk(journal.stats().waitingMs),
      isPaused: () =>
        failure === null && trouble === null && (journal.pause() ?? slowDisk(journal.stats().waitingMs)) !== null,
      groupLags: () => groupLags(log, (group) => groups.members(group), world.clock.nowMs(), lagReadsMax),
      async backup(folder) {
        assert(settings.dataDir !== null, 'a broker in memory has no files')
        const { clusterId } = place
        return backupFiles(world, settings.dataDir, folder, () => ({ clusterId, durableLsn: journal.durableLsn }))
      },
      inventory: () => inventoryOf(log, journal, replay.state),
      failed,
      close: () => (closing ??= close()),
    }
  } catch (error) {
    place.release()
    throw error
  }
}

/** Partitions that one look at the lags of groups reads from. */
const lagReadsMax = 500

/** The disk takes so long that people should know. Nothing is lost: who appends waits, memory is bounded. */
export class SlowDiskError extends Error {
  override name = 'SlowDiskError'
}
const slowDiskMs = 5_000
function slowDisk(waitingMs: number): SlowDiskError | null {
  if (waitingMs < slowDiskMs) return null
  return new SlowDiskError(
    `what was appended has waited ${Math.round(waitingMs / 1000)} s for the disk. Nothing is lost, producers wait. Look for ` +
      'other programs that write to this disk (iostat, iotop), or use a faster one.',
  )
}

/** Where a broker keeps its journal. */
interface Place {
  readonly world: World
  readonly id: Uint8Array
  readonly clusterId: string
  readonly journalFolder: string
  readonly settledFolder: string
  readonly quarantine: string
  readonly leaderEpoch: number
  /** Path of the reserve; null: none. */
  readonly reserve: string | null
  release(): void
}
/** Of what was not said, the defaults: shares of the disk. */
function retentionOf(place: Place, { dataDir, retention }: BrokerSettings, segmentBytes: number): RetentionSettings {
  const { totalBytes } = place.world.fs.space(place.settledFolder)
  const journalBytesMax = retention?.journalBytesMax ?? Math.max(2 ** 30, 4 * segmentBytes)
  return {
    settles: dataDir !== null,
    journalBytesMax,
    settlingTime: settlingTimeDefaults(journalBytesMax),
    settleAfterMs: 600_000,
    checkEveryMs: 30_000,
    logBytesMax: Math.floor(totalBytes / 5),
    pinnedBytesMax: Math.min(Math.floor(totalBytes / 10), 4 * 2 ** 30),
    fileBytesMax: 256 * 2 ** 20,
    tiers: {},
    ...retention,
  }
}
/** A quarter of what is kept free; none where nothing is. */
function reserveBytes(freeBytesMin: number): number {
  return Math.min(64 * 1024 * 1024, Math.floor(freeBytesMin / 4))
}
function inMemory(world: World, bytesMax: number): Place {
  const fs = memoryFileSystem(bytesMax, () => world.clock.nowMs())
  const folders = { journalFolder: '/journal', settledFolder: '/settled', quarantine: '/quarantine' }
  for (const folder of [folders.journalFolder, folders.settledFolder]) fs.mkdir(folder)
  const id = world.random.fork('cluster id in memory').fill(new Uint8Array(16))
  const clusterId = idText(id)
  return { world: { ...world, fs }, id, clusterId, ...folders, leaderEpoch: 0, reserve: null, release() {} }
}

/** What the log offers, as an object of its own to add to; without what changes, which a copy would hold still. */
function doorsOf(log: EmbeddedLog): Omit<BrokerCore, 'configDefaults' | 'journalEnd' | 'partitions'> {
  return {
    clusterId: log.clusterId,
    nodeId: log.nodeId,
    autoCreate: log.autoCreate,
    groupOffsets: log.groupOffsets,
    settings: log.settings,
    createTopic: (spec) => log.createTopic(spec),
    deleteTopic: (name) => log.deleteTopic(name),
    leaderEpoch: log.leaderEpoch,
    logDir: () => log.logDir(),
    jobOn: (topic) => log.jobOn(topic),
    epochAt: (topic, partition, at) => log.epochAt(topic, partition, at),
    endOfEpoch: (topic, partition, epoch) => log.endOfEpoch(topic, partition, epoch),
    addPartitions: (topic, partitions) => log.addPartitions(topic, partitions),
    alterTopic: (topic, change) => log.alterTopic(topic, change),
    topic: (name) => log.topic(name),
    topics: () => log.topics(),
    appendWithin: (topic, partition, batch, within) => log.appendWithin(topic, partition, batch, within),
    transactions: log.transactions,
    stable: log.stable,
    append: (topic, partition, batch) => log.append(topic, partition, batch),
    offsets: (topic, partition) => log.offsets(topic, partition),
    read: (topic, partition, from, maxBytes) => log.read(topic, partition, from, maxBytes),
    readCommitted: (topic, partition, from, maxBytes) => log.readCommitted(topic, partition, from, maxBytes),
    origin: () => log.origin(),
    now: () => log.now(),
    follow: (follow) => log.follow(follow),
    tick: (job, payload) => log.tick(job, payload),
    takeJob: (job) => log.takeJob(job),
    commit: (commit) => log.commit(commit),
    deleteRecords: (topic, partition, before) => log.deleteRecords(topic, partition, before),
    diskUsage: () => log.diskUsage(),
    newProducerId: () => log.newProducerId(),
    bumpProducerEpoch: (producerId, epoch) => log.bumpProducerEpoch(producerId, epoch),
    onAdvance: (listener) => log.onAdvance(listener),
    offsetForTime: (topic, partition, timestampMs) => log.offsetForTime(topic, partition, timestampMs),
    offsetOfMaxTime: (topic, partition) => log.offsetOfMaxTime(topic, partition),
  }
}
