// Tests of the published package: it is emitted whole, and runs from the emitted JavaScript without any source.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { emitPackage, pointWorkersAtJavaScript } from './package.ts'
import { importsOf, scan } from './scan.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'millrace-package-'))
after(() => rmSync(folder, { recursive: true }))

test('the package runs from what is emitted', () => {
  const dist = join(folder, 'dist/')
  mkdirSync(join(dist, 'screen'), { recursive: true })
  writeFileSync(join(dist, 'screen/index.html'), 'kept')
  writeFileSync(join(dist, 'old.js'), 'of an earlier build')
  const said: string[] = []
  emitPackage(root, dist, (line) => said.push(line))
  assert.match(said.join(), /emitted the package, \d\d+ files/)
  assert.equal(readFileSync(join(dist, 'screen/index.html'), 'utf8'), 'kept')
  assert.ok(!existsSync(join(dist, 'old.js')))

  // As an installed package lies: without any source.
  cpSync(`${root}bin`, join(folder, 'bin'), { recursive: true })
  cpSync(`${root}package.json`, join(folder, 'package.json'))
  symlinkSync(`${root}node_modules`, join(folder, 'node_modules'))
  const emitted = readdirSync(dist, { recursive: true, encoding: 'utf8' })
  assert.deepEqual(
    emitted.filter((name) => /\.(test|suite)\.js$/.test(name)),
    [],
  )
  for (const name of emitted.filter((file) => file.endsWith('.js'))) {
    const path = join(dist, name)
    for (const { specifier, line } of importsOf(scan(readFileSync(path, 'utf8')))) {
      if (!specifier.startsWith('.')) continue
      assert.ok(existsSync(join(path, '..', specifier)), `${name}:${line} leads to ${specifier}, which was not emitted`)
    }
  }

  const run = (...args: string[]) =>
    spawnSync(process.execPath, [join(folder, 'bin/millrace.mjs'), ...args], { encoding: 'utf8' })
  assert.match(run('version').stdout, /^millrace \d/)
  assert.match(run('explain', 'sales-window').stdout, /^plan sales-window/)
  assert.equal(run('fly').status, 4)

  // The library: found by its name, whole with its types, which lead nowhere else.
  const types = emitted.filter((name) => name.endsWith('.d.ts'))
  const publishedOf = (name: string): string => readFileSync(join(dist, name), 'utf8')
  for (const name of types) {
    assert.match(name, /^(embed|query)\//, 'types of no other room are published')
    for (const [, specifier = ''] of publishedOf(name).matchAll(/(?:from |import\()'([^']+)'/g)) {
      assert.match(specifier, /^\..*\.js$/, `${name} leads to ${specifier}`)
      assert.ok(types.includes(join(name, '..', specifier).replace(/\.js$/, '.d.ts')), `${name} leads to ${specifier}`)
    }
  }
  const doors = types.filter((name) => name.startsWith('embed/'))
  assert.deepEqual(doors.sort(), ['embed/broker.d.ts', 'embed/engine.d.ts', 'embed/query.d.ts'])
  const declared = publishedOf('embed/broker.d.ts')
  assert.match(declared, /export declare function openBroker\(options: BrokerOptions\): Promise<OpenBroker>/)
  assert.doesNotMatch(declared, /from '|import\(/)
  const script = `
    import { openBroker } from 'millrace/broker'
    await using broker = await openBroker({ ephemeral: true })
    await broker.produce('orders', [{ key: 'a', value: 'one' }])
    const [record] = await broker.records('orders')
    console.log(String.fromCharCode(...record.value), record.offset)`
  writeFileSync(join(folder, 'use.mjs'), script)
  const used = spawnSync(process.execPath, [join(folder, 'use.mjs')], { encoding: 'utf8' })
  assert.equal(used.stdout, 'one 0\n', used.stderr)
  const query = `
    import { openEngine } from 'millrace/engine'
    import { contract, count, field, from, minutes, tumbling } from 'millrace/query'
    const clicks = contract({
      topic: 'clicks', version: 1, partitions: 1, key: 'page', eventTime: 'at', outOfOrderMs: 0, idleTimeoutMs: 1000,
      futureLimitMs: 1000, doc: '',
      fields: { page: field({ kind: 'string' }, ''), at: field({ kind: 'timestamp' }, '') },
    })
    const plan = from(clicks).window(tumbling({ sizeMs: minutes(1) })).aggregate(() => ({ n: count() })).named('clicks')
    const engine = openEngine([plan])
    engine.push('clicks', [{ page: 'a', at: '2026-01-01T00:00:00Z' }, { page: 'b', at: '2026-01-01T00:00:01Z' }])
    engine.finish()
    console.log(engine.take().rows.map(({ json }) => JSON.parse(json).n).join())`
  writeFileSync(join(folder, 'query.mjs'), query)
  const counted = spawnSync(process.execPath, [join(folder, 'query.mjs')], { encoding: 'utf8' })
  assert.equal(counted.stdout, '2\n', counted.stderr)
})

test('worker modules are pointed at JavaScript, nothing else is touched', () => {
  const source =
    "const a = new URL('./a.ts', import.meta.url)\nconst b = 'new URL(./b.ts)'\n// ./a.ts\nconst c = './c.ts'\n"
  assert.equal(pointWorkersAtJavaScript(source), source.replace("URL('./a.ts'", "URL('./a.js'"))
})
