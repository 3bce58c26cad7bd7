// Groups under random members: they join, leave, die, restart as static members, come late with old generations, lose
// connections. Whatever happens no partition has two owners in a generation, generations only grow, no request waits
// for ever, and in the end those who live share all partitions. Replay one seed: GROUP_SEED=n node --test <this file>.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type RandomStream, randomStream } from '../../std/random.ts'
import type { JoinAnswer } from './group.ts'
import { protocolsOf, Scene, text } from './scene.suite.ts'

const partitions = 7
const sessionMs = 10_000
const stepsPerSeed = 150
const only = process.env.GROUP_SEED
const seeds = only === undefined ? Array.from({ length: 400 }, (_, i) => i + 1) : [Number(only)]

/** A consumer as the protocol wants it: joins, syncs, beats, joins again when told. */
class Consumer {
  readonly instanceId: string | null
  memberId = ''
  generation = -1
  doing: 'out' | 'joining' | 'syncing' | 'working' | 'gone' = 'out'
  ticket = 0
  /** Raised when its metadata is to change: as a cooperative member does when it gives partitions up. */
  version = 0
  readonly #scene: Scene
  readonly #owners: Owners
  readonly #knowsIds: boolean

  constructor(scene: Scene, owners: Owners, instanceId: string | null, knowsIds: boolean) {
    this.#scene = scene
    this.#owners = owners
    this.instanceId = instanceId
    this.#knowsIds = knowsIds
  }
  /** One turn: looks for an answer, or does what is next. */
  act(): void {
    switch (this.doing) {
      case 'out':
        this.join()
        return
      case 'joining': {
        const answer = this.#scene.joined.get(this.ticket)
        if (answer !== undefined) this.#hasJoined(answer)
        return
      }
      case 'syncing': {
        const answer = this.#scene.synced.get(this.ticket)
        if (answer === undefined) return
        if (answer.error !== 'NONE') {
          this.#refused(answer.error)
          return
        }
        this.#owners.note(this.generation, this.instanceId ?? this.memberId, text(answer.assignment))
        this.doing = 'working'
        return
      }
      case 'working': {
        const error = this.#scene.heartbeat(this.memberId, this.generation, this.instanceId)
        if (error !== 'NONE') this.#refused(error)
        return
      }
      case 'gone':
        return
    }
  }
  join(): void {
    this.ticket = this.#scene.join({
      memberId: this.memberId,
      instanceId: this.instanceId,
      sessionTimeoutMs: sessionMs,
      rebalanceTimeoutMs: 15_000,
      mustKnowItsId: this.#knowsIds,
      maySkipAssignment: true,
      protocols: protocolsOf(`range:${this.version}`, 'sticky'),
    })
    this.doing = 'joining'
  }
  #hasJoined(answer: JoinAnswer): void {
    if (answer.error !== 'NONE') {
      if (answer.error === 'MEMBER_ID_REQUIRED') this.memberId = answer.memberId
      this.#refused(answer.error)
      return
    }
    this.memberId = answer.memberId
    this.generation = answer.generation
    const parts: Record<string, string> = {}
    if (answer.leader === answer.memberId && !answer.skipAssignment) {
      const members = answer.members.map(({ memberId }) => memberId)
      for (let i = 0; i < partitions; i++) {
        const owner = members[i % members.length]!
        parts[owner] = `${parts[owner] ?? ''}${i}`
      }
    }
    this.ticket = this.#scene.sync(this.memberId, this.generation, parts, { instanceId: this.instanceId })
    this.doing = 'syncing'
  }
  #refused(error: string): void {
    if (error === 'FENCED_INSTANCE_ID') this.doing = 'gone'
    else this.doing = 'out'
    if (error === 'UNKNOWN_MEMBER_ID') this.memberId = ''
  }
}

/** Who was told what in which generation. */
class Owners {
  readonly #told = new Map<number, Map<string, string>>()
  note(generation: number, owner: string, parts: string): void {
    const told = this.#told.get(generation) ?? new Map<string, string>()
    this.#told.set(generation, told)
    const before = told.get(owner)
    assert.ok(before === undefined || before === parts, `${owner} was told ${before}, then ${parts}`)
    told.set(owner, parts)
    const all = [...told.values()].join('')
    assert.equal(new Set(all).size, all.length, `generation ${generation}: ${JSON.stringify([...told])}`)
  }
  owned(generation: number): string {
    return [...(this.#told.get(generation)?.values() ?? [])].join('')
  }
}

function live(random: RandomStream): void {
  const scene = new Scene({ initialRebalanceDelayMs: random.below(2) * 500, membersMax: 6 })
  const owners = new Owners()
  const consumers: Consumer[] = []
  const past: { readonly memberId: string; readonly generation: number }[] = []
  let generation = 0
  const look = (): void => {
    assert.ok(scene.group.generation >= generation, 'a generation went back')
    generation = scene.group.generation
    assert.ok(scene.group.members.size <= 6)
    assert.equal(scene.group.members.size === 0, scene.group.leader === null)
    if (scene.group.state === 'Empty') assert.equal(scene.group.members.size, 0)
    for (const [instance, id] of scene.group.instances) assert.equal(scene.group.members.get(id)?.instanceId, instance)
  }
  const someone = (): Consumer | undefined => consumers[random.below(Math.max(1, consumers.length))]
  const actions: readonly (() => void)[] = [
    () => {
      if (consumers.length > 8) return
      const instanceId = random.below(3) === 0 ? `static ${random.below(3)}` : null
      consumers.push(new Consumer(scene, owners, instanceId, random.below(2) === 0))
    },
    () => {
      const consumer = someone()
      if (consumer === undefined || consumer.memberId === '') return
      past.push({ memberId: consumer.memberId, generation: consumer.generation })
      scene.leave([consumer.memberId, consumer.instanceId])
      consumers.splice(consumers.indexOf(consumer), 1)
    },
    // It dies without a word.
    () => consumers.splice(random.below(consumers.length + 3), 1),
    // It joins again for reasons of its own.
    () => {
      const consumer = someone()
      if (consumer?.doing !== 'working') return
      past.push({ memberId: consumer.memberId, generation: consumer.generation })
      consumer.version += random.below(2)
      consumer.join()
    },
    // Its connection is lost while it waits.
    () => {
      const consumer = someone()
      if (consumer === undefined || (consumer.doing !== 'joining' && consumer.doing !== 'syncing')) return
      scene.forget(consumer.ticket)
      consumer.doing = 'out'
    },
    // Words from the past.
    () => {
      const old = past[random.below(Math.max(1, past.length))]
      if (old === undefined || old.generation < 0) return
      const present = scene.group.members.has(old.memberId) && old.generation === scene.group.generation
      const parts = Object.fromEntries([...scene.group.members.keys()].map((id) => [id, '0123456']))
      if (!present) {
        assert.notEqual(scene.error(scene.sync(old.memberId, old.generation, parts)), 'NONE')
        assert.notEqual(scene.heartbeat(old.memberId, old.generation), 'NONE')
        assert.notEqual(scene.checkCommit(old.memberId, old.generation), 'NONE')
      }
    },
    () => scene.pass(random.below(8_000)),
  ]
  for (let step = 0; step < stepsPerSeed; step++) {
    if (random.below(3) === 0) actions[random.below(actions.length)]!()
    else someone()?.act()
    look()
  }
  // From now on everyone alive does what is asked of it: it comes to rest.
  const rounds = 60
  for (let round = 0; round < rounds; round++) {
    for (const consumer of consumers) consumer.act()
    look()
    scene.pass(1_000)
    look()
  }
  const working = consumers.filter(({ doing }) => doing === 'working')
  assert.deepEqual(scene.unanswered(), [], 'nobody waits for ever')
  assert.equal(working.length, scene.group.members.size)
  assert.equal(scene.group.state, working.length === 0 ? 'Empty' : 'Stable')
  if (working.length > 0) {
    assert.equal([...owners.owned(scene.group.generation)].sort().join(''), '0123456')
    for (const consumer of working) assert.equal(consumer.generation, scene.group.generation)
  }
}

test(`${seeds.length} seeds of group life`, () => {
  for (const seed of seeds) {
    try {
      live(randomStream(`groups ${seed}`))
    } catch (error) {
      throw new Error(`seed ${seed}; replay: GROUP_SEED=${seed} node --test ${import.meta.filename}`, { cause: error })
    }
  }
})
