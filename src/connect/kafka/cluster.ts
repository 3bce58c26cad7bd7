// A Kafka cluster as far as its brokers tell: which topics there are, who leads their partitions, and a connection to
// each broker that is asked something.
import { entryOf } from '../../std/maps.ts'
import { type Api, apis, type Fields } from '../../wire/wire.ts'
import { NetError, type World } from '../../world/world.ts'
import type { KafkaAccess } from '../kafka-access.ts'
import { type BrokerAddress, BrokerConnection, type RequestBody, type ResponseBody } from './connection.ts'
import { topicIdText } from './positions.ts'
import { holdTo, isPassing, KafkaRefusal } from './refusal.ts'

export interface ClusterSettings {
  readonly brokers: readonly BrokerAddress[]
  readonly clientId: string
  readonly requestTimeoutMs: number
  readonly access: KafkaAccess
  /** What does not succeed for so long, because brokers or leaders are away, is given up. */
  readonly patienceMs: number
}
export interface ClusterTopic {
  readonly name: string
  readonly id: Uint8Array
  readonly idText: string
  readonly isInternal: boolean
  /** By partition: the node that leads it, -1 for none at the moment. */
  readonly leaders: readonly number[]
  /** Those that were set for this topic, not those of the brokers. */
  readonly configs: Readonly<Record<string, string>>
}
interface NamedTopic {
  readonly name: string
  readonly topicId: Uint8Array
}

const againMs = 20
const ofTopics = 2
/** Where a config's value comes from: set for this topic. */
const ownConfig = 1
const ofTransactions = 1

export class KafkaCluster {
  readonly settings: ClusterSettings
  readonly world: World
  clusterId = ''
  #topics = new Map<string, ClusterTopic>()
  #nodes = new Map<number, BrokerAddress>()
  readonly #configs = new Map<string, Readonly<Record<string, string>>>()
  readonly #connections = new Map<string, Promise<BrokerConnection>>()
  readonly #coordinators = new Map<string, BrokerAddress>()
  readonly #own = new Set<BrokerConnection>()
  #looking: Promise<void> | null = null
  #isClosed = false

  constructor(world: World, settings: ClusterSettings) {
    this.world = world
    this.settings = settings
  }

  topic(name: string): ClusterTopic | null {
    return this.#topics.get(name) ?? null
  }
  get topics(): readonly ClusterTopic[] {
    return [...this.#topics.values()]
  }

  /** Asks for all topics, their leaders and those configs that are not known yet. One look at a time. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = null
    })
    return this.#looking
  }
  async #look(): Promise<void> {
    const broker = await this.any()
    const { brokers, clusterId, topics, errorCode } = await broker.ask(apis.metadata, {
      topics: null,
      allowAutoTopicCreation: false,
      includeClusterAuthorizedOperations: false,
      includeTopicAuthorizedOperations: false,
    })
    holdTo(errorCode, 'the cluster does not tell its topics')
    this.clusterId = clusterId ?? ''
    this.#nodes = new Map(brokers.map(({ nodeId, host, port }) => [nodeId, { host, port }]))
    const named: (NamedTopic & { readonly isInternal: boolean; readonly leaders: number[] })[] = []
    for (const { name, topicId, errorCode: problem, isInternal, partitions } of topics) {
      if (name === null || problem !== 0) continue
      const leaders: number[] = []
      for (const { partitionIndex, leaderId } of partitions) leaders[partitionIndex] = leaderId
      named.push({ name, topicId: topicId.slice(), isInternal, leaders: Array.from(leaders, (leader) => leader ?? -1) })
    }
    await this.#learnConfigs(
      broker,
      named.filter(({ topicId }) => !this.#configs.has(topicIdText(topicId))),
    )
    this.#topics = new Map(
      named.map(({ name, topicId, isInternal, leaders }) => {
        const idText = topicIdText(topicId)
        return [name, { name, id: topicId, idText, isInternal, leaders, configs: this.#configs.get(idText) ?? {} }]
      }),
    )
    const live = new Set(named.map(({ topicId }) => topicIdText(topicId)))
    for (const id of this.#configs.keys()) if (!live.has(id)) this.#configs.delete(id)
  }
  async #learnConfigs(broker: BrokerConnection, topics: readonly NamedTopic[]): Promise<void> {
    if (topics.length === 0) return
    const resources = topics.map(({ name }) => ({
      resourceType: ofTopics,
      resourceName: name,
      configurationKeys: null,
    }))
    const { results } = await broker.ask(apis.describeConfigs, { resources })
    const ids = new Map(topics.map(({ name, topicId }) => [name, topicIdText(topicId)]))
    for (const { resourceName, errorCode, configs } of results) {
      const id = ids.get(resourceName)
      // Who may not read them does without.
      if (id === undefined || errorCode !== 0) continue
      const own: Record<string, string> = {}
      for (const { name, value, configSource } of configs) {
        if (configSource === ownConfig && value !== null) own[name] = value
      }
      this.#configs.set(id, own)
    }
  }

  /** Throws a refusal UNKNOWN_TOPIC_OR_PARTITION or LEADER_NOT_AVAILABLE. */
  leader(topic: string, partition: number): number {
    const leader = this.#topics.get(topic)?.leaders[partition]
    if (leader === undefined) throw new KafkaRefusal('UNKNOWN_TOPIC_OR_PARTITION', `${topic}-${partition}`)
    if (leader < 0) throw new KafkaRefusal('LEADER_NOT_AVAILABLE', `${topic}-${partition}`)
    return leader
  }

  /** To any broker that answers. */
  async any(): Promise<BrokerConnection> {
    let last: unknown = new NetError('CLOSED', 'no broker is known')
    for (const address of [...this.#nodes.values(), ...this.settings.brokers]) {
      try {
        return await this.at(address)
      } catch (error) {
        last = error
      }
    }
    throw last
  }
  node(id: number): Promise<BrokerConnection> {
    const address = this.#nodes.get(id)
    if (address === undefined) return Promise.reject(new NetError('UNKNOWN', `broker ${id} is not in the cluster`))
    return this.at(address)
  }
  /** The connection that everyone shares for what is answered soon. */
  async at(address: BrokerAddress): Promise<BrokerConnection> {
    const key = `${address.host}:${address.port}`
    const known = await this.#connections.get(key)?.catch(() => null)
    if (known?.isOpen) return known
    if (known !== undefined) this.#connections.delete(key)
    return entryOf(this.#connections, key, () => this.#open(address))
  }
  /** A connection of one's own, for requests that wait at the broker. Whoever opens it closes it. */
  async apart(id: number): Promise<BrokerConnection> {
    const address = this.#nodes.get(id)
    if (address === undefined) throw new NetError('UNKNOWN', `broker ${id} is not in the cluster`)
    return this.#open(address)
  }
  async #open(address: BrokerAddress): Promise<BrokerConnection> {
    const connection = await BrokerConnection.open(this.world, address, this.settings)
    for (const each of this.#own) if (!each.isOpen) this.#own.delete(each)
    if (this.#isClosed) connection.close()
    else this.#own.add(connection)
    return connection
  }
  /** Asks the broker that coordinates the transactional id. Which one that is, is asked again once it failed. */
  async askCoordinator<T>(transactionalId: string, ask: (coordinator: BrokerConnection) => Promise<T>): Promise<T> {
    try {
      return await ask(await this.at(await this.#coordinator(transactionalId)))
    } catch (error) {
      if (isPassing(error)) this.#coordinators.delete(transactionalId)
      throw error
    }
  }
  async #coordinator(transactionalId: string): Promise<BrokerAddress> {
    const known = this.#coordinators.get(transactionalId)
    if (known !== undefined) return known
    const broker = await this.any()
    const found = await broker.ask(apis.findCoordinator, {
      key: transactionalId,
      keyType: ofTransactions,
      coordinatorKeys: [],
    })
    holdTo(found.errorCode, `nobody coordinates ${transactionalId}`, found.errorMessage)
    const address = { host: found.host, port: found.port }
    this.#coordinators.set(transactionalId, address)
    return address
  }

  /** Asks the broker that leads the partition. */
  async askLeader<Req extends Fields, Res extends Fields>(
    topic: string,
    partition: number,
    api: Api<Req, Res>,
    body: RequestBody<Req, Res>,
  ): Promise<ResponseBody<Req, Res>> {
    const connection = await this.node(this.leader(topic, partition))
    return connection.ask(api, body)
  }

  /** Again and again while what is in the way passes by itself, with another look at the cluster in between. */
  async patiently<T>(attempt: () => Promise<T>, isWorthIt: (error: unknown) => boolean = isPassing): Promise<T> {
    const endMs = this.world.clock.monoMs() + this.settings.patienceMs
    for (let tries = 0; ; tries++) {
      try {
        return await attempt()
      } catch (error) {
        if (this.#isClosed || !isWorthIt(error) || this.world.clock.monoMs() > endMs) throw error
        await this.world.clock.sleep(Math.min(againMs * 2 ** Math.min(tries, 5), 500))
        if (error instanceof NetError || tries % 4 === 0) await this.look().catch(() => {})
      }
    }
  }

  close(): void {
    this.#isClosed = true
    for (const connection of this.#own) connection.close()
    this.#own.clear()
  }
}
