// What world.ts says about threads, sentence by sentence.
import assert from 'node:assert/strict'
import type { Thread } from '../../src/world/world.ts'
import type { ContractCase } from './case.ts'
import type { EchoOrder } from './thread-echo.ts'

const module = new URL('./thread-echo.ts', import.meta.url)
const nowhere = './no-such-module.ts'
const order = (value: EchoOrder): EchoOrder => value

const exitOf = (thread: Thread): Promise<Error | null> => new Promise((resolve) => thread.onExit(resolve))
function take(thread: Thread, count: number): Promise<unknown[]> {
  return new Promise((resolve) => {
    const messages: unknown[] = []
    thread.onMessage((message) => {
      messages.push(message)
      if (messages.length === count) resolve(messages)
    })
  })
}

export const threadCases: readonly ContractCase[] = [
  {
    name: 'the default export is called with port, data and a world of its own',
    async run({ world }) {
      const thread = world.threads.spawn(module, order({ kind: 'hello', name: 'shop' }))
      const [message] = await take(thread, 1)
      assert.equal(message, `hello shop at ${world.host.bootId}`)
      await thread.stop()
    },
  },
  {
    name: 'messages arrive in order both ways, also those posted before anyone listens',
    async run({ world }) {
      const thread = world.threads.spawn(module, order({ kind: 'echo' }))
      for (let i = 0; i < 20; i++) thread.post(i)
      await world.clock.sleep(200)
      assert.deepEqual(
        await take(thread, 20),
        Array.from({ length: 20 }, (_, i) => i),
      )
      await thread.stop()
    },
  },
  {
    name: 'data and messages are structured clones; transferred buffers leave the sender',
    async run({ world }) {
      const sent = { map: new Map([['a', 1]]), bytes: new Uint8Array([1, 2, 3]) }
      const thread = world.threads.spawn(module, order({ kind: 'echo' }))
      const received = take(thread, 2)
      thread.post(sent)
      sent.map.set('b', 2)
      const moved = new Uint8Array([9, 8])
      thread.post(moved, [moved.buffer])
      assert.equal(moved.length, 0)
      assert.deepEqual(await received, [
        { map: new Map([['a', 1]]), bytes: new Uint8Array([1, 2, 3]) },
        new Uint8Array([9, 8]),
      ])
      await thread.stop()
    },
  },
  {
    name: 'a stopped thread exits with null and answers no more',
    async run({ world }) {
      const thread = world.threads.spawn(module, order({ kind: 'echo' }))
      thread.post('once')
      await take(thread, 1)
      const exit = exitOf(thread)
      await thread.stop()
      assert.equal(await exit, null)
      thread.onMessage(() => assert.fail('a stopped thread answered'))
      thread.post('twice')
      await world.clock.sleep(30)
    },
  },
  {
    name: 'a thread with nothing left to wait for comes to its end: null',
    async run({ world }) {
      assert.equal(await exitOf(world.threads.spawn(module, order({ kind: 'finish' }))), null)
    },
  },
  {
    name: 'what a thread throws is what its exit tells, at once or later',
    async run({ world }) {
      for (const when of ['now', 'later'] as const) {
        const error = await exitOf(world.threads.spawn(module, order({ kind: 'throw', when })))
        assert.equal(error?.message, `thrown ${when}`)
      }
    },
  },
  {
    name: 'a module that cannot be loaded ends the thread with an error',
    async run({ world }) {
      const error = await exitOf(world.threads.spawn(new URL(nowhere, import.meta.url), null))
      assert.ok(error instanceof Error)
    },
  },
  {
    name: 'onExit given after the end is still called',
    async run({ world }) {
      const thread = world.threads.spawn(module, order({ kind: 'finish' }))
      await exitOf(thread)
      assert.equal(await exitOf(thread), null)
    },
  },
  {
    name: 'a process: called alike, messages in order both ways, what it throws is its end, stop ends it',
    async run({ world }) {
      const hello = world.threads.spawnProcess(module, order({ kind: 'hello', name: 'shop' }))
      assert.deepEqual(await take(hello, 1), [`hello shop at ${world.host.bootId}`])
      await hello.stop()
      const echo = world.threads.spawnProcess(module, order({ kind: 'echo' }))
      for (let i = 0; i < 20; i++) echo.post({ i, bytes: new Uint8Array([i]) })
      assert.deepEqual(
        await take(echo, 20),
        Array.from({ length: 20 }, (_, i) => ({ i, bytes: new Uint8Array([i]) })),
      )
      const exit = exitOf(echo)
      await echo.stop()
      assert.equal(await exit, null)
      const error = await exitOf(world.threads.spawnProcess(module, order({ kind: 'throw', when: 'now' })))
      assert.equal(error?.message, 'thrown now')
      assert.ok((await exitOf(world.threads.spawnProcess(new URL(nowhere, import.meta.url), null))) instanceof Error)
    },
  },
]
