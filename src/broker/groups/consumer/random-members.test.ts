// Groups under members of both protocols, in virtual time: they join, leave, die, hang and wake up, restart as static
// members, let go slowly; topics come, grow and go. Whatever happens no partition has two owners who may use it, epochs
// only grow, no committed offset goes back; and in the end those who live share all partitions evenly.
// Replay one seed: MEMBERS_SEED=n node --test <this file>.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { simulate } from '../../../../sim/world.ts'
import type { RandomStream } from '../../../std/random.ts'
import type { World } from '../../../world/world.ts'
import { MemoryCore } from '../../server/memory-core.suite.ts'
import { type NamedPartitions, readAssignment, readSubscription, writeAssignment } from '../consumer-protocol.ts'
import { GroupCoordinator } from '../coordinator.ts'
import { namedParts, partsByName } from './classic-members.ts'
import { stateOf } from './consumer-group.ts'
import { eachPart, noParts, type Parts } from './parts.ts'
import { writeSubscription } from './subscription.suite.ts'

const only = process.env.MEMBERS_SEED
const seeds = only === undefined ? Array.from({ length: 100 }, (_, i) => i + 1) : [Number(only)]
const sessionMs = 10_000
const chaosMs = 120_000
const calmMs = 60_000

type Claim = { readonly memberId: string; readonly instanceId: string | null; readonly generation: number }
/** What all members of a run share. */
class Stage {
  readonly world: World
  readonly core = new MemoryCore()
  readonly groups: GroupCoordinator
  readonly random: RandomStream
  readonly owners = new Map<string, Member>()
  readonly committed = new Map<string, number>()
  refusedCommits = 0
  calm = false
  /** What a member has noticed. */
  failure: unknown = null
  #epoch = 0

  constructor(world: World, random: RandomStream) {
    this.world = world
    this.random = random
    this.groups = new GroupCoordinator(world, this.core, { consumerSessionMs: sessionMs })
  }
  get view() {
    return {
      find: (name: string) => {
        const topic = this.core.topic(name)
        return topic === null ? null : { id: Buffer.from(topic.id).toString('hex'), partitions: topic.partitions }
      },
      names: () => this.core.topics().map(({ name }) => name),
    }
  }
  look(): void {
    const group = this.groups.consumerGroup('g')
    const epoch = group?.epoch ?? this.groups.group('g')?.generation ?? 0
    assert.ok(epoch >= this.#epoch, `the group's epoch went back from ${this.#epoch} to ${epoch}`)
    this.#epoch = epoch
    if (group === null) return
    assert.ok(group.assignmentEpoch <= group.epoch)
    const seen = new Map<string, string>()
    for (const member of group.members.values()) {
      assert.ok(member.epoch <= group.epoch)
      for (const parts of [member.assigned, member.revoking]) {
        for (const [topic, partition] of eachPart(parts)) {
          const place = `${topic}/${partition}`
          assert.ok(!seen.has(place), `${place} has two owners, ${seen.get(place)} and ${member.id}`)
          seen.set(place, member.id)
        }
      }
    }
  }
}

/** What both kinds of members have: what they use, and how they commit. */
abstract class Member {
  readonly name: string
  readonly instanceId: string | null
  protected readonly stage: Stage
  /** topic id/partition, and what is to be read next. */
  protected readonly using = new Map<string, number>()
  life: 'lives' | 'hangs' | 'ended' = 'lives'

  constructor(stage: Stage, name: string, instanceId: string | null) {
    this.stage = stage
    this.name = name
    this.instanceId = instanceId
  }
  abstract claim(): Claim
  abstract leave(): void
  abstract turn(): Promise<void>
  get uses(): number {
    return this.using.size
  }

  protected use(parts: Parts): void {
    for (const [topic, partition] of eachPart(parts)) {
      const place = `${topic}/${partition}`
      if (this.using.has(place)) continue
      const owner = this.stage.owners.get(place)
      assert.ok(owner === undefined || owner === this, `${place} is used by ${owner?.name}, and given to ${this.name}`)
      this.stage.owners.set(place, this)
      this.using.set(place, this.stage.committed.get(place) ?? 0)
    }
  }
  protected stopUsing(place: string): void {
    this.using.delete(place)
    if (this.stage.owners.get(place) === this) this.stage.owners.delete(place)
  }
  /** Of what it uses it keeps this. */
  protected keep(parts: Parts): void {
    const kept = new Set([...eachPart(parts)].map(([topic, partition]) => `${topic}/${partition}`))
    for (const place of [...this.using.keys()]) if (!kept.has(place)) this.stopUsing(place)
  }
  /** It hangs, or is dead: it uses nothing, whatever it believes. */
  noLongerThere(): void {
    for (const place of this.using.keys()) {
      if (this.stage.owners.get(place) === this) this.stage.owners.delete(place)
    }
  }
  work(): void {
    for (const [place, next] of [...this.using]) {
      if (this.stage.random.below(3) !== 0) continue
      const error = this.stage.groups.checkCommit('g', this.claim())
      if (error !== 'NONE') {
        this.stage.refusedCommits++
        continue
      }
      const before = this.stage.committed.get(place) ?? 0
      assert.ok(next + 1 > before, `${this.name} commits ${next + 1} of ${place}, where ${before} was committed`)
      this.using.set(place, next + 1)
      this.stage.committed.set(place, next + 1)
    }
  }
  async run(): Promise<void> {
    while (this.life !== 'ended') {
      if (this.life === 'lives') {
        await this.turn()
        this.stage.look()
        if (this.life === 'lives') this.work()
      }
      await this.stage.world.clock.sleep(300 + this.stage.random.below(400))
    }
  }
}

class NewMember extends Member {
  epoch = 0
  memberId: string
  #assigned: Parts = noParts
  /** What it is still busy with, though it is to let go. */
  #slow = 0
  #toldAll = false
  constructor(stage: Stage, name: string, instanceId: string | null) {
    super(stage, name, instanceId)
    this.memberId = name
  }
  claim(): Claim {
    return { memberId: this.memberId, instanceId: null, generation: this.epoch }
  }
  #beat(memberEpoch: number) {
    const joins = memberEpoch === 0
    const tellsAll = joins || !this.#toldAll || this.stage.random.below(4) === 0
    this.#toldAll = true
    // Between these a heartbeat says nothing of what it owns.
    const tellsOwned = tellsAll || this.stage.random.below(2) === 0
    const answer = this.stage.groups.beat('g', {
      memberId: this.memberId,
      memberEpoch,
      instanceId: this.instanceId,
      rackId: null,
      rebalanceTimeoutMs: tellsAll ? 20_000 : -1,
      topicNames: tellsAll ? ['a'] : null,
      topicRegex: tellsAll ? 'b.*' : null,
      assignor: null,
      owned: joins ? noParts : tellsOwned ? this.#owned() : null,
      clientId: 'new',
      clientHost: '/',
      mayDescribe: () => true,
    })
    return answer
  }
  #owned(): Parts {
    const owned = new Map<string, Set<number>>()
    for (const place of this.using.keys()) {
      const [topic, partition] = place.split('/')
      owned.set(topic!, (owned.get(topic!) ?? new Set()).add(Number(partition)))
    }
    return owned
  }
  async turn(): Promise<void> {
    const answer = this.#beat(this.epoch)
    // An answer is lost now and then.
    if (!this.stage.calm && this.stage.random.below(20) === 0) return
    switch (answer.error) {
      case 'NONE':
        assert.ok(answer.memberEpoch >= this.epoch, `epoch ${answer.memberEpoch} after ${this.epoch}`)
        this.epoch = answer.memberEpoch
        if (answer.assignment !== null) this.#assigned = answer.assignment
        break
      case 'FENCED_MEMBER_EPOCH':
        this.keep(noParts)
        this.#assigned = noParts
        this.epoch = 0
        return
      case 'FENCED_INSTANCE_ID':
        this.keep(noParts)
        this.life = 'ended'
        return
      case 'UNRELEASED_INSTANCE_ID':
        return
      default:
        assert.fail(`${this.name}: ${answer.error} ${answer.message}`)
    }
    // It takes its time to let go of what it is busy with.
    if (this.#slow > 0) this.#slow--
    else {
      this.keep(this.#assigned)
      this.#slow = this.stage.calm ? 0 : this.stage.random.below(3)
    }
    this.use(this.#assigned)
  }
  leave(): void {
    const epoch = this.instanceId !== null && this.stage.random.below(2) === 0 ? -2 : -1
    this.keep(noParts)
    this.#beat(epoch)
    this.life = 'ended'
  }
}

class ClassicMember extends Member {
  memberId = ''
  generation = -1
  readonly #cooperative: boolean
  #mustJoin = true
  constructor(stage: Stage, name: string, instanceId: string | null, cooperative: boolean) {
    super(stage, name, instanceId)
    this.#cooperative = cooperative
  }
  claim(): Claim {
    return { memberId: this.memberId, instanceId: this.instanceId, generation: this.generation }
  }
  #topics(): string[] {
    return this.stage.core.topics().map(({ name }) => name)
  }
  #owned(): NamedPartitions[] {
    const parts = new Map<string, number[]>()
    for (const place of this.using.keys()) {
      const [id, partition] = place.split('/')
      const topic = this.stage.core.topics().find((each) => Buffer.from(each.id).toString('hex') === id)
      if (topic !== undefined) parts.set(topic.name, [...(parts.get(topic.name) ?? []), Number(partition)])
    }
    return [...parts].map(([topic, partitions]) => ({ topic, partitions }))
  }
  async turn(): Promise<void> {
    if (!this.#mustJoin) {
      const error = this.stage.groups.heartbeat('g', this.claim())
      if (error === 'NONE') return
      this.#refused(error)
      if (error !== 'REBALANCE_IN_PROGRESS') return
    }
    if (!this.#cooperative) this.keep(noParts)
    const joined = await this.stage.groups.join(
      'g',
      {
        memberId: this.memberId,
        instanceId: this.instanceId,
        clientId: 'old',
        clientHost: '/',
        sessionTimeoutMs: sessionMs,
        rebalanceTimeoutMs: 15_000,
        protocolType: 'consumer',
        protocols: [{ name: 'some', metadata: writeSubscription(1, this.#topics(), this.#owned()) }],
        mustKnowItsId: true,
        maySkipAssignment: true,
      },
      () => () => {},
    )
    if (this.life !== 'lives') return
    if (joined.error !== 'NONE') {
      if (joined.error === 'MEMBER_ID_REQUIRED') this.memberId = joined.memberId
      else this.#refused(joined.error)
      return
    }
    this.memberId = joined.memberId
    this.generation = joined.generation
    const leads = joined.leader === joined.memberId && !joined.skipAssignment
    const synced = await this.stage.groups.sync(
      'g',
      {
        memberId: this.memberId,
        instanceId: this.instanceId,
        generation: this.generation,
        protocolType: 'consumer',
        protocol: 'some',
        assignments: leads ? this.#assign(joined.members) : [],
      },
      () => () => {},
    )
    if (this.life !== 'lives') return
    if (synced.error !== 'NONE') {
      this.#refused(synced.error)
      return
    }
    const assigned = partsByName(this.stage.view, readAssignment(synced.assignment) ?? assert.fail('no assignment'))
    const before = this.using.size
    this.keep(assigned)
    // A cooperative member that has let go of something joins again to say so.
    this.#mustJoin = this.#cooperative && this.using.size < before
    this.use(assigned)
  }
  #refused(error: string): void {
    this.#mustJoin = true
    if (error === 'REBALANCE_IN_PROGRESS') return
    this.keep(noParts)
    if (error === 'UNKNOWN_MEMBER_ID') this.memberId = ''
    if (error === 'FENCED_INSTANCE_ID') this.life = 'ended'
  }
  /** As a leader of the classic protocol: in turns; what someone else still has goes to nobody in this generation. */
  #assign(members: readonly { readonly memberId: string; readonly metadata: Uint8Array }[]) {
    const owned = new Map<string, string>()
    const shares = new Map<string, Map<string, number[]>>(members.map(({ memberId }) => [memberId, new Map()]))
    for (const { memberId, metadata } of members) {
      for (const { topic, partitions } of readSubscription(metadata)?.owned ?? []) {
        for (const partition of partitions) owned.set(`${topic}/${partition}`, memberId)
      }
    }
    let turn = 0
    for (const { name, partitions } of this.stage.core.topics()) {
      for (let partition = 0; partition < partitions; partition++) {
        const { memberId } = members[turn++ % members.length]!
        const owner = owned.get(`${name}/${partition}`)
        if (owner !== undefined && owner !== memberId) continue
        const share = shares.get(memberId)!
        share.set(name, [...(share.get(name) ?? []), partition])
      }
    }
    return [...shares].map(([memberId, share]) => ({
      memberId,
      assignment: writeAssignment(
        1,
        [...share].map(([topic, partitions]) => ({ topic, partitions })),
      ),
    }))
  }
  leave(): void {
    this.keep(noParts)
    this.stage.groups.leave('g', [{ memberId: this.memberId, instanceId: this.instanceId }])
    this.life = 'ended'
  }
}

/** What happened in a run, so that a run in which nothing does is noticed. */
interface Told {
  readonly mixed: boolean
  readonly refusedCommits: number
  readonly commits: number
}
async function live(world: World, random: RandomStream): Promise<Told> {
  const stage = new Stage(world, random)
  const { core, groups } = stage
  await core.createTopic({ name: 'a', partitions: 5 })
  await core.createTopic({ name: 'b1', partitions: 3 })
  const members: Member[] = []
  const cooperative = random.below(2) === 0
  const kinds = random.below(3)
  let mixed = false
  let named = 0
  const failed = (error: unknown): void => {
    stage.failure ??= error
  }
  const someone = (): Member | undefined => members[random.below(Math.max(1, members.length))]
  const end = (member: Member): void => {
    member.noLongerThere()
    member.life = 'ended'
    members.splice(members.indexOf(member), 1)
  }
  const join = (): void => {
    if (members.length >= 7) return
    const number = random.below(3)
    const instanceId = random.below(3) === 0 ? `static ${number}` : null
    const old = members.find((each) => instanceId !== null && each.instanceId === instanceId)
    if (old !== undefined) end(old)
    const name = `m${++named}`
    const isNew = kinds === 0 || (kinds === 2 && random.below(2) === 0)
    const member = isNew
      ? new NewMember(stage, name, instanceId)
      : new ClassicMember(stage, name, instanceId, cooperative)
    members.push(member)
    member.run().catch(failed)
  }
  const actions: readonly (() => unknown)[] = [
    join,
    join,
    join,
    () => {
      const member = someone()
      if (member?.life !== 'lives') return
      member.leave()
      members.splice(members.indexOf(member), 1)
    },
    // It dies without a word.
    () => {
      const member = someone()
      if (member !== undefined) end(member)
    },
    // It hangs, for longer than its session or not, and believes afterwards that nothing has happened.
    () => {
      const member = someone()
      if (member?.life !== 'lives') return
      member.life = 'hangs'
      member.noLongerThere()
      const wakeUp = (): void => {
        if (member.life !== 'hangs') return
        // It would commit what it read before it hung.
        member.work()
        member.life = 'lives'
      }
      world.clock.timer(random.below(2 * sessionMs), wakeUp)
    },
    () => (core.topic('b2') === null ? core.createTopic({ name: 'b2', partitions: 1 + random.below(4) }) : null),
    () => (core.topic('b2') !== null && random.below(2) === 0 ? core.deleteTopic('b2') : null),
    () => (core.topic('a')!.partitions < 9 ? core.addPartitions('a', core.topic('a')!.partitions + 1) : null),
  ]
  const endsMs = world.clock.monoMs() + chaosMs
  while (world.clock.monoMs() < endsMs && stage.failure === null) {
    await actions[random.below(actions.length)]!()
    await world.clock.sleep(random.below(4_000))
    const group = groups.consumerGroup('g')
    const sides = new Set([...(group?.members.values() ?? [])].map(({ classic }) => classic !== null))
    if (sides.size === 2) mixed = true
  }
  join()
  stage.calm = true
  for (const member of members) if (member.life === 'hangs') member.life = 'lives'
  // Classic members look for new topics by themselves, by joining again: here by one that comes and goes.
  const passing = new ClassicMember(stage, 'passing', null, cooperative)
  if (groups.group('g') !== null && groups.group('g')!.members.size > 0) {
    passing.run().catch(failed)
    await world.clock.sleep(calmMs / 2)
    passing.leave()
  }
  await world.clock.sleep(calmMs)
  if (stage.failure !== null) throw stage.failure
  const consumers = groups.consumerGroup('g')
  if (consumers !== null) {
    assert.equal(stateOf(consumers), 'Stable')
    const all = [...consumers.members.values()].flatMap((member) => namedParts(consumers, member.assigned))
    assert.ok(all.length > 0)
  } else assert.equal(groups.group('g')?.state, 'Stable')
  const living = members.filter(({ life }) => life === 'lives')
  const partitions = core.topics().reduce((sum, topic) => sum + topic.partitions, 0)
  const uses = living.map((member) => member.uses)
  assert.equal(
    uses.reduce((sum, count) => sum + count, 0),
    partitions,
    `of ${partitions} partitions members use ${uses}`,
  )
  assert.ok(Math.max(...uses) - Math.min(...uses) <= 1, `members use ${uses}`)
  for (const member of members) member.life = 'ended'
  groups.close()
  const commits = [...stage.committed.values()].reduce((sum, count) => sum + count, 0)
  return { mixed, refusedCommits: stage.refusedCommits, commits }
}

test('random members of both protocols: one owner each, offsets only forward, even in the end', async () => {
  const all: Told[] = []
  for (const seed of seeds) {
    try {
      const ended = await simulate({ seed: `members ${seed}` }).run((world) =>
        live(world, world.random.fork(`members ${seed}`)),
      )
      if (ended.end === 'threw') throw ended.error
      assert.equal(ended.end, 'returned')
      if (ended.end === 'returned') all.push(ended.value)
    } catch (error) {
      throw new Error(`seed ${seed}; replay with MEMBERS_SEED=${seed}`, { cause: error })
    }
  }
  if (only !== undefined) return
  assert.ok(all.filter(({ mixed }) => mixed).length > seeds.length / 6, 'groups of both protocols')
  assert.ok(all.reduce((sum, { refusedCommits }) => sum + refusedCommits, 0) > seeds.length, 'late commits')
  assert.ok(all.every(({ commits }) => commits > 10))
})
