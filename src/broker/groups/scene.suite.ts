// A group on a stage: its state machine with a clock that the test turns, and the answers that came, by ticket.
import assert from 'node:assert/strict'
import { expire, forget, nextDueMs } from './expiry.ts'
import { type Answer, type GroupError, type JoinAnswer, newGroup, type SyncAnswer, type Ticket } from './group.ts'
import { checkCommit, heartbeat } from './heartbeat.ts'
import { type JoinRequest, join } from './join.ts'
import { leave } from './leave.ts'
import { type GroupRules, groupDefaults } from './settings.ts'
import { type SyncRequest, sync } from './sync.ts'

export const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString()
export const bytes = (value: string): Uint8Array => new Uint8Array(Buffer.from(value))
/** `range:a` = protocol range with metadata a. */
export const protocolsOf = (...specs: readonly string[]) =>
  specs.map((spec) => ({ name: spec.split(':')[0]!, metadata: bytes(spec.split(':')[1] ?? '') }))

export class Scene {
  readonly group = newGroup('g')
  readonly rules: GroupRules
  nowMs = 1_000
  readonly joined = new Map<Ticket, JoinAnswer>()
  readonly synced = new Map<Ticket, SyncAnswer>()
  readonly #forgotten = new Set<Ticket>()
  #tickets = 0
  #named = 0

  constructor(rules: Partial<GroupRules> = {}) {
    this.rules = { ...groupDefaults, ...rules }
  }
  take(answers: readonly Answer[]): void {
    for (const { ticket, to, answer } of answers) {
      assert.ok(!this.joined.has(ticket) && !this.synced.has(ticket), `ticket ${ticket} is answered twice`)
      if (to === 'join') this.joined.set(ticket, answer)
      else this.synced.set(ticket, answer)
    }
  }
  /** Returns its ticket: the answer may come later. */
  join(request: Partial<JoinRequest> = {}): Ticket {
    const ticket = ++this.#tickets
    const whole: JoinRequest = {
      memberId: '',
      freshMemberId: `m${++this.#named}`,
      instanceId: null,
      clientId: 'client',
      clientHost: '/host',
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: 60_000,
      protocolType: 'consumer',
      protocols: protocolsOf('range:a'),
      mustKnowItsId: false,
      maySkipAssignment: false,
      ...request,
    }
    this.take(join(this.group, this.rules, whole, ticket, this.nowMs))
    return ticket
  }
  sync(memberId: string, generation: number, assignments: Readonly<Record<string, string>> = {}, more = {}): Ticket {
    const ticket = ++this.#tickets
    const request: SyncRequest = {
      memberId,
      instanceId: null,
      generation,
      protocolType: null,
      protocol: null,
      assignments: Object.entries(assignments).map(([member, part]) => ({ memberId: member, assignment: bytes(part) })),
      ...more,
    }
    this.take(sync(this.group, this.rules, request, ticket, this.nowMs))
    return ticket
  }
  heartbeat(memberId: string, generation: number, instanceId: string | null = null): GroupError {
    return heartbeat(this.group, { memberId, generation, instanceId }, this.nowMs)
  }
  checkCommit(memberId: string, generation: number, instanceId: string | null = null): GroupError {
    return checkCommit(this.group, { memberId, generation, instanceId }, this.nowMs, false)
  }
  leave(...leavers: readonly (readonly [memberId: string, instanceId: string | null] | string)[]) {
    const named = leavers.map((each) =>
      typeof each === 'string' ? { memberId: each, instanceId: null } : { memberId: each[0], instanceId: each[1] },
    )
    const { errors, answers } = leave(this.group, this.rules, named, this.nowMs)
    this.take(answers)
    return errors
  }
  forget(ticket: Ticket): void {
    this.#forgotten.add(ticket)
    forget(this.group, ticket, this.nowMs)
  }
  /** Requests that someone still waits on. */
  unanswered(): Ticket[] {
    const all = Array.from({ length: this.#tickets }, (_, i) => i + 1)
    return all.filter((ticket) => this.error(ticket) === 'waits' && !this.#forgotten.has(ticket))
  }
  /** Lets time go by; what is due happens when it is. */
  pass(ms: number): void {
    const untilMs = this.nowMs + ms
    for (let rounds = 0; nextDueMs(this.group) <= untilMs; rounds++) {
      assert.ok(rounds < 1_000, 'time does not move the group on')
      this.nowMs = Math.max(this.nowMs, nextDueMs(this.group))
      this.take(expire(this.group, this.rules, this.nowMs))
    }
    this.nowMs = untilMs
  }
  error(ticket: Ticket): GroupError | 'waits' {
    return this.joined.get(ticket)?.error ?? this.synced.get(ticket)?.error ?? 'waits'
  }
  part(ticket: Ticket): string {
    return text(this.synced.get(ticket)!.assignment)
  }

  /** Members m1 … in a stable group, of generation 1 (`count` members join within one gathering). */
  static stable(count: number, rules: Partial<GroupRules> = {}, requests: Partial<JoinRequest> = {}): Scene {
    const scene = new Scene({ initialRebalanceDelayMs: 10, ...rules })
    for (let i = 0; i < count; i++) scene.join(requests)
    scene.pass(20)
    assert.equal(scene.group.generation, 1)
    const parts = Object.fromEntries([...scene.group.members.keys()].map((id) => [id, `part of ${id}`]))
    for (const id of scene.group.members.keys()) scene.sync(id, 1, id === scene.group.leader ? parts : {})
    assert.equal(scene.group.state, 'Stable')
    return scene
  }
}
