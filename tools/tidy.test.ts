// Tests of tidy: each rule on a house of a few files, one wrong and one right; then the real table of rooms.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { rooms, roomsAsMarkdown } from './rooms.ts'
import { findingsIn, TABLE_BEGIN, TABLE_END } from './tidy-rules.ts'

const architecture = `# Map\n${TABLE_BEGIN}\n${roomsAsMarkdown()}\n${TABLE_END}\n`

/** Findings in a tree of the given files (a first-line comment is put on each; `main.ts` imports what it should use). */
function tidy(
  files: Record<string, string>,
  options: { readonly bare?: boolean; readonly architecture?: string } = {},
): string[] {
  const uses = Object.keys(files)
    .filter(
      (path) =>
        path.startsWith('src/') &&
        !path.endsWith('.test.ts') &&
        !path.includes('src/cli/main.ts') &&
        !path.includes('unused'),
    )
    .map((path) => `import '../${path.slice(4)}'`)
  const all: Record<string, string> = options.bare ? files : { 'src/cli/main.ts': uses.join('\n'), ...files }
  return findingsIn({
    files: Object.entries(all).map(([path, text]) => ({
      path,
      text: options.bare ? text : `// What this file does.\n${text}`,
    })),
    packageJson: {
      scripts: { tidy: 'node bin/node.mjs tools/tidy.ts' },
      dependencies: { fastify: '5', 'csv-parse': '7' },
    },
    architecture: options.architecture ?? architecture,
  })
    .filter((finding) => !(finding.file === 'src/cli/main.ts' && /inside the room/.test(finding.message)))
    .map((finding) => `${finding.file}:${finding.line} ${finding.message}`)
}
const one = (findings: readonly string[], expected: RegExp): void => {
  assert.equal(findings.length, 1, findings.join('\n'))
  assert.match(findings[0] as string, expected)
}

describe('import directions and doors', () => {
  test('a door of an allowed room may be imported', () => {
    assert.deepEqual(
      tidy({
        'src/std/a.ts': '',
        'src/wire/wire.ts': `import '../std/a.ts'`,
        'src/broker/broker.ts': `import '../wire/wire.ts'`,
      }),
      [],
    )
  })
  test('a room that is not in the list may not, whatever the door', () => {
    one(
      tidy({ 'src/engine/engine.ts': '', 'src/broker/broker.ts': `\nimport '../engine/engine.ts'` }),
      /^src\/broker\/broker\.ts:3 broker\/ may not import engine\/ .*it may import std, world, wire, log$/,
    )
  })
  test('types, re-exports, dynamic imports and worker modules count too', () => {
    for (const way of [
      `import type { A } from '../engine/engine.ts'`,
      `export * from '../engine/engine.ts'\nconst a = 1`,
      `await import('../engine/engine.ts')`,
      `spawn(new URL('../engine/engine.ts', import.meta.url))`,
    ])
      one(tidy({ 'src/engine/engine.ts': '', 'src/broker/broker.ts': way }), /broker\/ may not import engine\//)
  })
  test('a file inside an allowed room is past its door, and the message names the doors', () => {
    one(
      tidy({
        'src/wire/wire.ts': `import './deep.ts'`,
        'src/wire/deep.ts': '',
        'src/broker/broker.ts': `import '../wire/deep.ts'`,
      }),
      /inside the room wire\/: its doors are wire\/wire\.ts, wire\/record-batch\.ts/,
    )
  })
  test('the screen knows serve/contract.ts and nothing else', () => {
    const screen = { 'src/screen/index.html': '<script type="module" src="/main.ts"></script>' }
    const serve = { 'src/serve/contract.ts': '', 'src/serve/serve.ts': '' }
    assert.deepEqual(tidy({ ...screen, ...serve, 'src/screen/main.ts': `import '../serve/contract.ts'` }), [])
    one(
      tidy({ ...screen, ...serve, 'src/screen/main.ts': `import '../serve/serve.ts'` }),
      /screen\/ may not import serve\//,
    )
    one(tidy({ ...screen, 'src/screen/main.ts': `import 'node:path'` }), /the screen runs in a browser/)
  })
  test('the product never imports sim/, tests/ or tools/; its tests may', () => {
    const sim = { 'sim/world.ts': '', 'sim/a.test.ts': `import './world.ts'` }
    one(tidy({ ...sim, 'src/broker/broker.ts': `import '../../sim/world.ts'` }), /never needs sim\//)
    assert.deepEqual(
      tidy({ ...sim, 'src/broker/broker.ts': '', 'src/broker/broker.test.ts': `import '../../sim/world.ts'` }),
      [],
    )
  })
  test('a test stands on any door, but not past one; a suite is there to be shared', () => {
    const rooms = { 'src/engine/engine.ts': `import './deep.ts'`, 'src/engine/deep.ts': '', 'src/broker/broker.ts': '' }
    assert.deepEqual(tidy({ ...rooms, 'src/broker/a.test.ts': `import '../engine/engine.ts'` }), [])
    one(tidy({ ...rooms, 'src/broker/a.test.ts': `import '../engine/deep.ts'` }), /inside the room engine/)
    assert.deepEqual(
      tidy({
        ...rooms,
        'src/log/log.suite.ts': '',
        'src/broker/a.test.ts': `import '../log/log.suite.ts'`,
        'src/cli/main.ts': `import '../engine/engine.ts'\nimport '../broker/broker.ts'`,
      }),
      [],
    )
  })
  test('an import that leads nowhere', () => {
    one(tidy({ 'src/std/a.ts': `import './b.ts'` }), /there is no file src\/std\/b\.ts/)
  })
  test('a file in no room', () => {
    one(
      tidy({ 'src/attic/unused.ts': '', 'src/attic/a.test.ts': `import './unused.ts'` }).filter(
        (line) => !line.includes('test'),
      ),
      /lies in no room/,
    )
  })
})

describe('libraries', () => {
  test('one that does its own I/O stays where rooms.ts says', () => {
    assert.deepEqual(tidy({ 'src/serve/serve.ts': `import 'fastify'` }), [])
    one(tidy({ 'src/engine/engine.ts': `import 'fastify'` }), /does its own I\/O: only src\/serve\/ may/)
  })
  test('one that is no dependency would be missing at run time', () => {
    assert.deepEqual(tidy({ 'src/connect/connect.ts': `import 'csv-parse/sync'` }), [])
    one(tidy({ 'src/connect/connect.ts': `import 'left-pad'` }), /not among the dependencies/)
    assert.deepEqual(tidy({ 'src/connect/connect.ts': `import type { A } from 'left-pad'` }), [])
  })
})

describe('uses of the outside', () => {
  const found = (code: string, path = 'src/broker/broker.ts'): string[] =>
    tidy({ [path]: code, 'src/broker/apis.ts': '' })
  const banned: readonly [code: string, message: RegExp][] = [
    ['Date.now()', /Date\.now: use .*world\.clock\.nowMs\(\)/],
    ['new Date()', /new Date\(\).*world\.clock/],
    ['const d = new Date', /new Date\(\)/],
    ['Math.random()', /Math\.random: use .*world\.random/],
    ['performance.now()', /performance\.now/],
    ['globalThis.performance.now()', /performance\.now/],
    ['setTimeout(f, 1)', /setTimeout: use world\.clock\.timer/],
    ['await new Promise((resolve) => setImmediate(resolve))', /setImmediate/],
    ['const wait = setTimeout', /setTimeout/],
    ['fetch("http://a")', /fetch: use world\.net/],
    ['process.nextTick(f)', /process\.nextTick: use world\.clock\.soon/],
    ['process.env.HOME', /process\.env/],
    ['process?.env', /process\.env/],
    ['crypto.randomUUID()', /crypto\.randomUUID/],
    ['AbortSignal.timeout(5)', /AbortSignal\.timeout/],
    ['new WeakRef(a)', /WeakRef/],
    ['`${Date.now()}`', /Date\.now/],
    [`import { readFileSync } from 'node:fs'`, /imports node:fs: use world\.fs/],
    [`import 'fs/promises'`, /imports fs\/promises/],
    [`await import('node:net')`, /imports node:net: use world\.net/],
    [`import { createHash, randomBytes } from 'node:crypto'`, /imports randomBytes from node:crypto/],
    [`import { Worker } from 'node:worker_threads'`, /node:worker_threads: use world\.threads/],
  ]
  for (const [code, message] of banned) test(code, () => one(found(code), message))

  for (const code of [
    'new Date(0)',
    'new Date(ms).toISOString()',
    'Date.UTC(2020, 1)',
    '// Date.now()',
    '"Math.random()"',
    'world.clock.performance.now()',
    'interface A { setTimeout(f: () => void): void }',
    'const a = { fetch(request: Request) { return request } }',
    'const a = { fetch: 1 }',
    'broker.fetch(request)',
    'function fetch(request: string) { return request }',
    'const fetch = (request: string) => request\nfetch(1)',
    `import { fetch } from './apis.ts'\nserve(fetch, fetch(1))`,
    `import { createHash } from 'node:crypto'`,
    `import { gunzipSync } from 'node:zlib'`,
    `import type { Stats } from 'node:fs'`,
    'process.memoryUsage()',
  ])
    test(`allowed: ${code}`, () => assert.deepEqual(found(code), []))

  test('allowed where rooms.ts says: world, the command line, the screen, tests', () => {
    for (const path of [
      'src/world/node.ts',
      'src/cli/start.ts',
      'src/broker/a.test.ts',
      'tests/a.ts',
      'bench/run.ts',
      'src/screen/unused.ts',
    ])
      assert.deepEqual(
        found('setTimeout(f, Date.now())', path).filter((line) => line.includes('use world')),
        [],
        path,
      )
  })
  test('simulations must be repeatable themselves', () =>
    one(
      tidy({ 'sim/disk.test.ts': `import './disk.ts'`, 'sim/disk.ts': 'Date.now()' }),
      /sim\/disk\.ts:2 uses Date\.now/,
    ))
})

describe('cycles and unused files', () => {
  test('a ring is told once, with the way round', () => {
    one(
      tidy({ 'src/std/a.ts': `import './b.ts'`, 'src/std/b.ts': `import './c.ts'`, 'src/std/c.ts': `import './a.ts'` }),
      /imports in a circle: src\/std\/a\.ts → src\/std\/b\.ts → src\/std\/c\.ts → src\/std\/a\.ts$/,
    )
  })
  test('naming a worker module closes no ring', () => {
    assert.deepEqual(
      tidy({ 'src/std/a.ts': `spawn(new URL('./b.ts', import.meta.url))`, 'src/std/b.ts': `import './a.ts'` }),
      [],
    )
  })
  test('types may go round: a door defines what its insides speak in', () => {
    const back = `import type { Job } from './engine.ts'`
    assert.deepEqual(tidy({ 'src/engine/engine.ts': `import './job.ts'`, 'src/engine/job.ts': back }), [])
  })
  test('a file nothing imports', () => one(tidy({ 'src/std/unused.ts': '' }), /nothing imports this file/))
  test('a file that only a test imports', () => {
    one(tidy({ 'src/std/unused.ts': '', 'src/std/a.test.ts': `import './unused.ts'` }), /only tests import this file/)
  })
  test('a worker module is used by the file that names its URL', () => {
    assert.deepEqual(
      tidy({ 'src/std/unused.ts': '', 'src/std/a.ts': `spawn(new URL('./unused.ts', import.meta.url))` }),
      [],
    )
  })
})

describe('each file alone', () => {
  const shape = (text: string, path = 'src/cli/main.ts'): string[] => tidy({ [path]: text }, { bare: true })
  test('begins with a comment of more than one word, after a shebang if any', () => {
    assert.deepEqual(shape('// Says something.\nconst a = 1'), [])
    assert.deepEqual(shape('#!/usr/bin/env node\n// Says something.'), [])
    one(shape('const a = 1'), /begins without a comment/)
    one(shape('//\nconst a = 1'), /begins without a comment/)
  })
  test('leaves no notes to self', () => one(shape(`// Says something.\n// TO${'DO'} later`), /:2 leaves a TODO behind/))
  test('has a name that says something', () =>
    one(
      shape('// Says something.', 'tools/string-utils.ts').filter((line) => /name/.test(line)),
      /says nothing/,
    ))
  test('is not a barrel', () => {
    one(tidy({ 'src/std/a.ts': '', 'src/std/b.ts': `export * from './a.ts'` }), /b\.ts:1 only passes on/)
  })
  test('is not too long', () => one(shape(`// Says something.\n${'\n'.repeat(450)}`), /:450 is 452 lines long/))
})

describe('the map', () => {
  test('has the table of rooms.ts, whole', () => {
    one(tidy({}, { architecture: '# Map' }), /has no table of rooms/)
    one(
      tidy({}, { architecture: architecture.replace('broker', 'brokr') }),
      /^ARCHITECTURE\.md:2 its table of rooms is not what/,
    )
  })
  test('names only rooms that exist, once each', () => {
    const names = rooms.map((room) => room.name)
    assert.equal(new Set(names).size, names.length)
    for (const room of rooms) {
      if (room.mayImport === 'all') continue
      for (const other of room.mayImport)
        assert.ok(names.includes(other.split('/')[0] as string), `${room.name} may import ${other}`)
      assert.ok(!room.mayImport.includes(room.name))
    }
  })
  test('runs one way: no two rooms may import each other, directly or round about', () => {
    const reach = (name: string, seen: Set<string>): Set<string> => {
      const room = rooms.find((candidate) => candidate.name === name)
      for (const other of room === undefined || room.mayImport === 'all' ? [] : room.mayImport) {
        const next = other.split('/')[0] as string
        if (!seen.has(next)) reach(next, seen.add(next))
      }
      return seen
    }
    for (const room of rooms)
      assert.ok(!reach(room.name, new Set()).has(room.name), `${room.name}/ leads back to itself`)
  })
})
