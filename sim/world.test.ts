// The lies of the simulated world: what a crash, a full disk and a failing sync leave behind, and that a seed repeats.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { FsError, type World } from '../src/world/world.ts'
import type { DiskFaults } from './machine.ts'
import { type Simulation, simulate } from './world.ts'

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)
function put(world: World, path: string, text: string, position = 0): void {
  const file = world.fs.stat(path) === null ? world.fs.open(path, 'create') : world.fs.open(path, 'write')
  const bytes = bytesOf(text)
  for (let done = 0; done < bytes.length; ) done += file.write(bytes.subarray(done), position + done)
  file.close()
}
function textOf(world: World, path: string): string | null {
  if (world.fs.stat(path) === null) return null
  const file = world.fs.open(path, 'read')
  const bytes = new Uint8Array(file.sizeBytes())
  for (let done = 0; done < bytes.length; ) done += file.read(bytes.subarray(done), done)
  file.close()
  return new TextDecoder().decode(bytes)
}
async function sync(world: World, path: string): Promise<void> {
  const file = world.fs.open(path, 'write')
  await file.sync()
  file.close()
}
async function live<T>(simulation: Simulation, main: (world: World) => Promise<T>): Promise<T> {
  const life = await simulation.run(main)
  if (life.end === 'threw') throw life.error
  assert.equal(life.end, 'returned')
  return (life as { value: T }).value
}
/** What 200 machines find after the crash, each outcome once, sorted. */
async function outcomes(
  before: (world: World) => Promise<void>,
  crash: 'kill' | 'power',
  look: (world: World) => string | null,
  faults: Partial<DiskFaults> = {},
): Promise<(string | null)[]> {
  const found = new Set<string | null>()
  for (let seed = 0; seed < 200; seed++) {
    const simulation = simulate({ seed, sectorBytes: 512, faults })
    const life = await simulation.run(async (world, process) => {
      await before(world)
      process.crash(crash)
    })
    assert.deepEqual(life, { end: 'crashed', kind: crash })
    found.add(await live(simulation, async (world) => look(world)))
  }
  return [...found].sort()
}

describe('a power cut', () => {
  test('keeps what was synced, file and folder', async () => {
    const found = await outcomes(
      async (world) => {
        put(world, '/a', 'kept')
        await sync(world, '/a')
        await world.fs.syncFolder('/')
      },
      'power',
      (world) => textOf(world, '/a'),
    )
    assert.deepEqual(found, ['kept'])
  })

  test('may take a synced file whose folder was not synced', async () => {
    const found = await outcomes(
      async (world) => {
        put(world, '/a', 'kept')
        await sync(world, '/a')
      },
      'power',
      (world) => textOf(world, '/a'),
    )
    assert.deepEqual(found, ['kept', null])
  })

  test('takes unsynced sectors one by one, in any order', async () => {
    const found = await outcomes(
      async (world) => {
        put(world, '/a', '.'.repeat(1536))
        await sync(world, '/a')
        await world.fs.syncFolder('/')
        put(world, '/a', 'x'.repeat(1536))
      },
      'power',
      (world) => textOf(world, '/a')!.replace(/(.)\1{511}/g, '$1'),
    )
    assert.deepEqual(found, ['...', '..x', '.x.', '.xx', 'x..', 'x.x', 'xx.', 'xxx'])
  })

  test('ends an unsynced file anywhere, with zeros for the sectors it lost', async () => {
    const found = await outcomes(
      async (world) => {
        put(world, '/a', '')
        await world.fs.syncFolder('/')
        put(world, '/a', 'x'.repeat(1024))
      },
      'power',
      (world) => textOf(world, '/a'),
    )
    assert.ok(found.includes('') && found.includes('x'.repeat(1024)))
    assert.ok(found.includes('\0'.repeat(512) + 'x'.repeat(512)))
    assert.ok(found.some((text) => text !== null && text.length > 0 && text.length < 512))
  })

  test('may undo a truncation, or not', async () => {
    const found = await outcomes(
      async (world) => {
        put(world, '/a', 'abcdef')
        await sync(world, '/a')
        await world.fs.syncFolder('/')
        const file = world.fs.open('/a', 'write')
        file.truncate(2)
        file.close()
      },
      'power',
      (world) => textOf(world, '/a'),
    )
    assert.ok(found.includes('abcdef') && found.includes('ab'))
  })

  test('finds a renamed file under the old name, the new one, both or none', async () => {
    const found = await outcomes(
      async (world) => {
        put(world, '/old', 'x')
        await sync(world, '/old')
        await world.fs.syncFolder('/')
        world.fs.rename('/old', '/new')
      },
      'power',
      (world) => world.fs.list('/').join('+'),
    )
    assert.deepEqual(found, ['', 'new', 'new+old', 'old'])
  })

  test('finds a replaced file old or new, each whole', async () => {
    const found = await outcomes(
      async (world) => {
        put(world, '/a', 'old')
        await sync(world, '/a')
        await world.fs.syncFolder('/')
        put(world, '/a.tmp', 'new')
        await sync(world, '/a.tmp')
        world.fs.rename('/a.tmp', '/a')
      },
      'power',
      (world) => textOf(world, '/a'),
    )
    assert.deepEqual(found, ['new', 'old'])
  })

  test('kills every process and boots anew', async () => {
    const simulation = simulate({ seed: 1 })
    const [a, b] = [simulation.start(), simulation.start()]
    const bootId = a.world.host.bootId
    assert.ok(a.world.host.isAlive(b.pid))
    simulation.powerCut()
    assert.deepEqual([a.alive, b.alive], [false, false])
    const c = simulation.start()
    assert.notEqual(c.world.host.bootId, bootId)
    assert.equal(c.world.host.isAlive(b.pid), false)
  })
})

describe('a kill', () => {
  test('loses nothing that was written', async () => {
    const before = async (world: World): Promise<void> => {
      put(world, '/a', 'x'.repeat(5000))
      world.fs.rename('/a', '/b')
    }
    assert.deepEqual(await outcomes(before, 'kill', (world) => textOf(world, '/b')), ['x'.repeat(5000)])
  })

  test('stops the dead: its promises never resolve, its last writes are seen by nobody', async () => {
    const simulation = simulate({ seed: 1 })
    let ran = false
    const life = await simulation.run(async (world, process) => {
      put(world, '/a', 'before')
      void world.clock.sleep(1).then(() => {
        ran = true
      })
      const file = world.fs.open('/a', 'write')
      void file.sync().then(() => {
        ran = true
      })
      process.crash('kill')
      put(world, '/a', 'AFTER')
      put(world, '/b', 'after')
      assert.equal(textOf(world, '/b'), 'after', 'the dying process sees its own world')
    })
    assert.equal(life.end, 'crashed')
    await live(simulation, async (world) => {
      await world.clock.sleep(1000)
      assert.equal(textOf(world, '/a'), 'before')
      assert.equal(textOf(world, '/b'), null)
    })
    assert.equal(ran, false)
  })

  test('of one process leaves the files of the others open', async () => {
    const simulation = simulate({ seed: 1 })
    const [a, b] = [simulation.start(), simulation.start()]
    put(a.world, '/a', 'abc')
    const file = b.world.fs.open('/a', 'write')
    a.crash('kill')
    file.write(bytesOf('X'), 0)
    assert.equal(textOf(b.world, '/a'), 'Xbc')
  })
})

describe('a failing sync', () => {
  test('says EIO once; later syncs say yes and the bytes are gone all the same', async () => {
    let lost = 0
    for (let seed = 0; seed < 100; seed++) {
      const simulation = simulate({ seed, sectorBytes: 512 })
      await live(simulation, async (world) => {
        put(world, '/a', '')
        await world.fs.syncFolder('/')
        put(world, '/a', 'x'.repeat(2048))
        simulation.machine.plan({ at: 1, fail: 'EIO', forEver: false })
        const file = world.fs.open('/a', 'write')
        await assert.rejects(file.sync(), { name: 'FsError', code: 'EIO', operation: 'sync' })
        await file.sync()
        file.close()
        assert.equal(textOf(world, '/a'), 'x'.repeat(2048), 'the cache shows it still')
      })
      simulation.powerCut()
      const found = await live(simulation, async (world) => textOf(world, '/a'))
      if (found !== 'x'.repeat(2048)) lost++
    }
    assert.ok(lost > 50, `only ${lost} of 100 lost anything`)
  })

  test('keeps its mark through a kill, and a copy to a new file heals', async () => {
    for (let seed = 0; seed < 50; seed++) {
      const simulation = simulate({ seed, sectorBytes: 512 })
      await live(simulation, async (world) => {
        put(world, '/a', 'x'.repeat(2048))
        await world.fs.syncFolder('/')
        simulation.machine.plan({ at: 1, fail: 'EIO', forEver: false })
        await assert.rejects(sync(world, '/a'))
      })
      await live(simulation, async (world) => {
        put(world, '/b', textOf(world, '/a')!)
        await sync(world, '/b')
        await world.fs.syncFolder('/')
      })
      simulation.powerCut()
      assert.equal(await live(simulation, async (world) => textOf(world, '/b')), 'x'.repeat(2048))
    }
  })

  test('for ever is for ever', async () => {
    const simulation = simulate({ seed: 1 })
    await live(simulation, async (world) => {
      put(world, '/a', 'x')
      simulation.machine.plan({ at: 1, fail: 'EIO', forEver: true })
      for (let i = 0; i < 3; i++) await assert.rejects(sync(world, '/a'), { code: 'EIO' })
    })
  })
})

describe('a full disk', () => {
  test('takes a part, then says ENOSPC, and takes more once there is room', async () => {
    const simulation = simulate({ seed: 1, capacityBytes: 1000 })
    await live(simulation, async (world) => {
      put(world, '/a', 'x'.repeat(600))
      const file = world.fs.open('/b', 'create')
      let written = 0
      assert.throws(
        () => {
          for (;;) written += file.write(new Uint8Array(150), written)
        },
        (error) => error instanceof FsError && error.code === 'ENOSPC' && error.operation === 'write',
      )
      assert.equal(file.sizeBytes(), written)
      assert.ok(written > 0 && written <= 400)
      assert.equal(world.fs.space('/').totalBytes, 1000)
      assert.throws(() => world.fs.open('/c', 'create'), { code: 'ENOSPC' })
      world.fs.unlink('/a')
      for (const end = written + 400; written < end; ) written += file.write(new Uint8Array(end - written), written)
      file.close()
    })
  })
})

describe('a plan', () => {
  test('crashes at the k-th operation, for every k', async () => {
    const script = async (world: World): Promise<void> => {
      world.fs.mkdir('/d')
      put(world, '/d/a', 'x')
      await sync(world, '/d/a')
      world.fs.rename('/d/a', '/d/b')
      await world.fs.syncFolder('/d')
      world.fs.unlink('/d/b')
    }
    const whole = simulate({ seed: 0 })
    await live(whole, script)
    const operations = whole.machine.operations
    assert.equal(operations, 9) // mkdir, open, write, sync and its end, rename, sync and its end, unlink
    for (let at = 1; at <= operations; at++) {
      const simulation = simulate({ seed: at })
      simulation.machine.plan({ at, crash: 'power' })
      assert.deepEqual(await simulation.run(script), { end: 'crashed', kind: 'power' })
      assert.equal(simulation.machine.operations, at)
    }
  })
})

describe('a seed', () => {
  const script = async (world: World): Promise<void> => {
    world.fs.mkdir('/d')
    const listener = await world.net.listen({ host: '127.0.0.1', port: 0 }, (socket) => {
      socket.onData((bytes) => socket.write(bytes.slice()))
    })
    const socket = await world.net.connect({ host: '127.0.0.1', port: listener.port })
    let received = 0
    let pieces = 0
    const done = new Promise<void>((resolve) => {
      socket.onData((bytes) => {
        pieces++
        received += bytes.length
        if (received === 50_000) resolve()
      })
    })
    socket.write(world.random.fill(new Uint8Array(50_000)))
    const thread = world.threads.spawn(new URL('./contract/thread-echo.ts', import.meta.url), { kind: 'echo' })
    thread.post('ping')
    const answered = new Promise<void>((resolve) => thread.onMessage(() => resolve()))
    const files = Array.from({ length: 5 }, async (_, i) => {
      put(world, `/d/${i}`, 'x'.repeat(1 + (world.random.u32() % 3000)))
      await sync(world, `/d/${i}`).catch(() => {})
    })
    await Promise.all([done, answered, ...files, world.fs.syncFolder('/d').catch(() => {})])
    put(world, '/d/pieces', String(pieces))
  }
  const traceOf = async (seed: number): Promise<readonly string[]> => {
    const simulation = simulate({ seed, keepTrace: true, faults: { shortOdds: 0.1, syncErrorOdds: 0.1 } })
    simulation.machine.plan({ at: 20 + (seed % 10), crash: 'power' })
    await simulation.run(script)
    await live(simulation, async (world) => {
      const found = world.fs.stat('/d') === null ? [] : world.fs.list('/d')
      for (const name of found) simulation.machine.note(`${name}: ${textOf(world, `/d/${name}`)?.length}`)
    })
    return simulation.machine.trace!
  }

  test('twice gives the same run, event by event', async () => {
    for (let seed = 0; seed < 50; seed++) {
      const first = await traceOf(seed)
      assert.ok(first.length > 10)
      assert.deepEqual(await traceOf(seed), first)
    }
  })
  test('and another gives another', async () => {
    assert.notDeepEqual(await traceOf(1), await traceOf(2))
  })
})

describe('a life', () => {
  test('that waits for nothing is stalled, one that never ends is hung', async () => {
    assert.deepEqual(await simulate({ seed: 1 }).run(() => new Promise(() => {})), { end: 'stalled' })
    const simulation = simulate({ seed: 1 })
    const tick = (world: World): void => {
      world.clock.timer(1, () => tick(world))
    }
    tick(simulation.start().world)
    assert.equal(await simulation.runUntil(() => false, 1000), false)
  })
  test('can have its connections broken', async () => {
    const simulation = simulate({ seed: 1, network: { resetOdds: 1 } })
    await live(simulation, async (world) => {
      const { port } = await world.net.listen({ host: '127.0.0.1', port: 0 }, (socket) => socket.onData(() => {}))
      const socket = await world.net.connect({ host: '127.0.0.1', port })
      const closed = new Promise<Error | null>((resolve) => socket.onClose(resolve))
      socket.write(new Uint8Array(10))
      assert.equal((await closed)?.name, 'NetError')
    })
  })
  test('ends the connections of its death for the others', async () => {
    const simulation = simulate({ seed: 1 })
    const [server, client] = [simulation.start(), simulation.start()]
    let closed = false
    void (async () => {
      const listener = await server.world.net.listen({ host: '127.0.0.1', port: 9092 }, () => {})
      const socket = await client.world.net.connect({ host: '127.0.0.1', port: listener.port })
      socket.onData(() => {})
      socket.onClose(() => {
        closed = true
      })
      server.crash('kill')
    })()
    assert.ok(await simulation.runUntil(() => closed))
  })
})
