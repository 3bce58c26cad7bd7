// What world.ts says about the clock, entropy and the host, sentence by sentence.
import assert from 'node:assert/strict'
import type { ContractCase } from './case.ts'

export const clockCases: readonly ContractCase[] = [
  {
    name: 'wall time is whole milliseconds since the epoch; monotonic time does not go back',
    async run({ world: { clock } }) {
      assert.ok(Number.isInteger(clock.nowMs()) && clock.nowMs() > Date.UTC(2025, 0, 1))
      let last = clock.monoMs()
      for (let i = 0; i < 10; i++) {
        await clock.sleep(0)
        assert.ok(clock.monoMs() >= last)
        last = clock.monoMs()
      }
    },
  },
  {
    name: 'a sleep takes its time on both clocks',
    async run({ world: { clock } }) {
      const [mono, wall] = [clock.monoMs(), clock.nowMs()]
      await clock.sleep(20)
      // Node rounds a timer to whole milliseconds of its own clock: it may seem 1 ms early on this one.
      assert.ok(clock.monoMs() - mono >= 19)
      assert.ok(clock.nowMs() - wall >= 18)
    },
  },
  {
    name: 'a timer runs once after its delay; timers run in the order of their times',
    async run({ world: { clock } }) {
      const ran: number[] = []
      for (const delayMs of [30, 10, 50]) clock.timer(delayMs, () => ran.push(delayMs))
      await clock.sleep(120)
      assert.deepEqual(ran, [10, 30, 50])
    },
  },
  {
    name: 'a cancelled timer does not run; cancel is idempotent, also after it ran',
    async run({ world: { clock } }) {
      let ran = 0
      const cancelled = clock.timer(5, () => ran++)
      cancelled.cancel()
      cancelled.cancel()
      const runs = clock.timer(5, () => ran++, { background: true })
      await clock.sleep(30)
      runs.cancel()
      assert.equal(ran, 1)
    },
  },
  {
    name: 'a delay beyond 2^31 ms is not taken for none',
    async run({ world: { clock } }) {
      let ran = false
      const timer = clock.timer(2 ** 33, () => {
        ran = true
      })
      await clock.sleep(20)
      timer.cancel()
      assert.equal(ran, false)
    },
  },
  {
    name: 'soon runs after the current piece of work and its promise jobs, in order',
    async run({ world: { clock } }) {
      const ran: string[] = []
      const done = new Promise<void>((resolve) => {
        clock.soon(() => ran.push('first'))
        clock.soon(() => {
          ran.push('second')
          resolve()
        })
      })
      Promise.resolve().then(() => ran.push('promise job'))
      ran.push('now')
      await done
      assert.deepEqual(ran, ['now', 'promise job', 'first', 'second'])
    },
  },
  {
    name: 'entropy forks by name, repeatably',
    run({ world: { random } }) {
      assert.equal(random.fork('a').u32(), random.fork('a').u32())
      assert.notEqual(random.fork('a').u32(), random.fork('b').u32())
    },
  },
  {
    name: 'the host tells who we are and who is alive',
    run({ world: { host } }) {
      assert.ok(Number.isInteger(host.pid) && host.pid > 0)
      assert.ok(host.bootId.length > 8 && host.name.length > 0)
      assert.equal(host.isAlive(host.pid), true)
      assert.equal(host.isAlive(0x3fffffff), false)
      assert.equal(host.env('MILLRACE_NO_SUCH_VARIABLE'), undefined)
      assert.equal(host.secretBytes(32).length, 32)
      assert.notDeepEqual(host.secretBytes(32), host.secretBytes(32))
    },
  },
]
