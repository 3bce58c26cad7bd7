// Every order of what can befall a transactional producer: it writes, ends, aborts, is too slow, is replaced by another
// instance that goes on, the machine loses power. After each step committed readers see what a plain model says, whoever
// is fenced is told so, the stable end is where the open transaction begins, and in the end nothing hangs.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { simulate } from '../../../sim/world.ts'
import { LogError } from '../../log/log.ts'
import type { World } from '../../world/world.ts'
import { p0 } from '../broker.suite.ts'
import { type Broker, openBroker } from '../broker.ts'
import type { ProducerClaim } from './judging.ts'
import { followed, readCommitted, transactional } from './transactions.suite.ts'

const timeoutMs = 10_000
const settings = { dataDir: '/data', durability: 'power', freeBytesMin: 0 } as const
const id = 'shop'

/** Write, commit, abort, time passes, another instance begins, that one writes and commits, power cut. */
const steps = ['W', 'C', 'A', 'T', 'B', 'V', 'P'] as const
type Step = (typeof steps)[number]

/** The rules in their plainest form. */
class Model {
  readonly #raises: boolean
  #last: 'nothing' | 'commit' | 'abort' = 'nothing'
  #open: string[] = []
  committed: string[] = []
  fenced = false
  constructor(raises: boolean) {
    this.#raises = raises
  }
  get isOpen(): boolean {
    return this.#open.length > 0
  }
  write(value: string): 'NONE' | 'FENCED' {
    if (this.fenced) return 'FENCED'
    this.#open.push(value)
    return 'NONE'
  }
  end(outcome: 'commit' | 'abort'): string {
    if (this.fenced) return 'PRODUCER_FENCED'
    if (this.isOpen) {
      this.#close(outcome)
      return 'NONE'
    }
    if (this.#raises) return outcome === 'abort' ? 'NONE' : 'INVALID_TXN_STATE'
    return this.#last === outcome ? 'NONE' : 'INVALID_TXN_STATE'
  }
  #close(outcome: 'commit' | 'abort'): void {
    if (outcome === 'commit') this.committed.push(...this.#open)
    this.#open = []
    this.#last = outcome
  }
  timePasses(): void {
    if (!this.isOpen) return
    this.#close('abort')
    this.fenced = true
  }
  anotherBegins(): void {
    if (this.isOpen) this.#close('abort')
    this.fenced = true
  }
}

interface Client {
  claim: ProducerClaim
  sequence: number
}
interface Run {
  readonly model: Model
  readonly raises: boolean
  readonly first: Client
  second: Client | null
  values: number
}

async function begin(world: World, broker: Broker): Promise<Client> {
  for (;;) {
    const answer = await broker.transactions.init(id, timeoutMs, null)
    if (answer.error === 'NONE') return { claim: answer, sequence: 0 }
    assert.equal(answer.error, 'CONCURRENT_TRANSACTIONS')
    await world.clock.sleep(10)
  }
}
async function write(broker: Broker, client: Client, value: string, raises: boolean): Promise<'NONE' | 'FENCED'> {
  if (!raises) {
    const error = await broker.transactions.addPartitions(id, client.claim, [broker.transactions.placeOf('t', 0)!])
    if (error === 'PRODUCER_FENCED') return 'FENCED'
    assert.equal(error, 'NONE')
  }
  try {
    const batch = transactional([value], client.claim, client.sequence)
    await broker.appendWithin('t', p0, batch, { transactionalId: id, joins: raises })
    client.sequence++
    return 'NONE'
  } catch (error) {
    assert.ok(error instanceof LogError && error.code === 'INVALID_PRODUCER_EPOCH', String(error))
    return 'FENCED'
  }
}
async function end(broker: Broker, client: Client, commit: boolean, raises: boolean): Promise<string> {
  const answer = await broker.transactions.end(id, { ...client.claim, commit, raises })
  if (answer.error === 'NONE' && answer.epoch !== client.claim.epoch) {
    client.claim = answer
    client.sequence = 0
  }
  return answer.error
}

async function take(step: Step, world: World, broker: Broker, run: Run): Promise<void> {
  const { model, raises, first } = run
  switch (step) {
    case 'W': {
      const value = `w${run.values++}`
      const expected = model.write(value)
      assert.equal(await write(broker, first, value, raises), expected)
      return
    }
    case 'C':
      assert.equal(await end(broker, first, true, raises), model.end('commit'))
      return
    case 'A':
      assert.equal(await end(broker, first, false, raises), model.end('abort'))
      return
    case 'T':
      // The stable end moves within the timeout and a second.
      await world.clock.sleep(timeoutMs + 1_000)
      model.timePasses()
      return
    case 'B':
      run.second = await begin(world, broker)
      model.anotherBegins()
      return
    case 'V': {
      if (run.second === null) return
      const value = `v${run.values++}`
      assert.equal(await write(broker, run.second, value, raises), 'NONE')
      assert.equal(await end(broker, run.second, true, raises), 'NONE')
      model.committed.push(value)
      return
    }
    case 'P':
      return
  }
}
async function check(broker: Broker, { model }: Run): Promise<void> {
  const { end } = broker.offsets('t', p0)
  const stable = broker.stable.end('t', p0)
  assert.equal(stable < end, model.isOpen, 'the stable end is before the open transaction')
  assert.deepEqual(
    (await readCommitted(broker, 't', 0)).map(({ value }) => value),
    model.committed,
  )
  assert.deepEqual(followed(broker, ['t'], 1, 1), model.committed)
}

const length = 4
for (const raises of [true, false]) {
  test(`every order of ${length} steps: ${raises ? 'clients of KIP-890' : 'older clients'}`, async () => {
    const orders = steps.length ** length
    for (let order = 0; order < orders; order++) {
      const chosen = Array.from({ length }, (_, i) => steps[Math.floor(order / steps.length ** i) % steps.length]!)
      const simulation = simulate({ seed: 'orders', faults: { survival: 0 } })
      const client: Client = { claim: { producerId: -1, epoch: -1 }, sequence: 0 }
      const run: Run = { model: new Model(raises), raises, first: client, second: null, values: 0 }
      let at = -1
      let done = false
      while (!done) {
        const ended = await simulation.run(async (world, process) => {
          const broker = await openBroker(world, settings)
          if (at < 0) {
            await broker.createTopic({ name: 't', partitions: 1 })
            Object.assign(client, await begin(world, broker))
            at = 0
          }
          await check(broker, run)
          while (at < length) {
            const step = chosen[at++]!
            if (step === 'P') {
              process.crash('power')
              return
            }
            await take(step, world, broker, run)
            await check(broker, run)
          }
          await world.clock.sleep(timeoutMs + 1_000)
          run.model.timePasses()
          await check(broker, run)
          done = true
        })
        if (ended.end === 'threw') throw new Error(`${chosen.join(' ')}, at step ${at}`, { cause: ended.error })
      }
    }
  })
}
