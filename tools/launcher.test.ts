// Tests of bin/: old Nodes can read it, it finds the Node that is needed, and it stands in for the program it starts.
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { importsOf, scan } from './scan.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'millrace-launcher-'))
after(() => rmSync(folder, { recursive: true }))

/** A Node on PATH that is too old for Millrace: only with one can the whole way be walked. */
function oldNode(): string | null {
  for (const part of (process.env.PATH ?? '').split(':')) {
    const path = join(part, 'node')
    if (part.includes('node_modules') || !existsSync(path)) continue
    const major = Number(/^v(\d+)/.exec(spawnSync(path, ['--version'], { encoding: 'utf8' }).stdout)?.[1])
    if (major >= 14 && major < 24) return path
  }
  return null
}
const old = oldNode()
const whenOld = { skip: old === null ? 'no Node between 14 and 23 on PATH' : false }
const whenBundled = {
  skip:
    old === null || !existsSync(`${root}node_modules/node-${process.platform}-${process.arch}/bin/node`)
      ? 'needs an old Node on PATH and the bundled one'
      : false,
}

describe('Node 12.17 can read the launcher', () => {
  for (const name of ['bin/node.mjs', 'bin/millrace.mjs'])
    test(name, () => {
      const tokens = scan(readFileSync(`${root}${name}`, 'utf8')).filter((token) => token.kind !== 'comment')
      for (const { specifier } of importsOf(tokens))
        assert.ok(!specifier.startsWith('node:'), `node: names came with 12.20: ${specifier}`)
      for (const [i, token] of tokens.entries()) {
        assert.notEqual(
          token.kind === 'word' ? token.text : '',
          'await',
          `line ${token.line}: top-level await came with 14.8`,
        )
        const next = tokens[i + 1]
        const newOperator = token.text === '?' && (next?.text === '.' || next?.text === '?')
        assert.ok(!(token.kind === 'mark' && newOperator), `line ${token.line}: ?. and ?? came with 14`)
        assert.ok(!(token.text.startsWith('#') && token.kind === 'word'), `line ${token.line}: private fields`)
      }
    })
})

describe('an old Node on PATH', () => {
  const run = (args: readonly string[]) => spawnSync(old as string, args, { encoding: 'utf8', cwd: folder })

  test('hands over to the bundled one, arguments and exit code included', whenBundled, () => {
    const { status, stdout } = run([
      `${root}bin/node.mjs`,
      '-e',
      'console.log(process.version, process.argv[1]); process.exit(7)',
      'a b',
    ])
    assert.match(stdout, /^v2[4-9].* a b\n$/)
    assert.equal(status, 7)
  })
  test('behind a symbolic link too', whenBundled, () => {
    symlinkSync(root, join(folder, 'link'))
    assert.equal(run([join(folder, 'link/bin/node.mjs'), '-e', 'process.exit(7)']).status, 7)
  })
  test('runs the command line', whenBundled, () => {
    const { status, stdout } = run([`${root}bin/millrace.mjs`, 'version'])
    assert.equal(status, 0)
    assert.match(stdout, /^millrace \d.*Node 2[4-9]/)
    assert.equal(run([`${root}bin/millrace.mjs`, 'fly']).status, 4)
  })
  test('without the bundled one says which Node to install, and ends with 2', whenOld, () => {
    cpSync(`${root}bin`, join(folder, 'alone/bin'), { recursive: true })
    for (const args of [
      [join(folder, 'alone/bin/millrace.mjs'), 'start'],
      [join(folder, 'alone/bin/node.mjs'), '-v'],
    ]) {
      const { status, stderr, stdout } = run(args)
      assert.equal(status, 2)
      assert.equal(stdout, '')
      assert.match(stderr, /needs Node 24\.12 or newer[\s\S]*install Node 24/)
    }
  })
  test('with a bundled one that cannot run says so, and ends with 2', whenOld, () => {
    const broken = join(folder, `broken/node_modules/node-${process.platform}-${process.arch}`)
    mkdirSync(join(broken, 'bin'), { recursive: true })
    writeFileSync(join(broken, 'package.json'), '{}')
    writeFileSync(join(broken, 'bin/node'), '#!/not/there/loader\n', { mode: 0o755 })
    cpSync(`${root}bin`, join(folder, 'broken/bin'), { recursive: true })
    const { status, stderr } = run([join(folder, 'broken/bin/node.mjs'), '-v'])
    assert.equal(status, 2, stderr)
    assert.match(stderr, /could not run[\s\S]*Install Node/)
  })

  // A stand-in for the program, so that what is tested is the launcher.
  const standIn = join(folder, 'stand-in')
  const start = async (program: string) => {
    cpSync(`${root}bin`, join(standIn, 'bin'), { recursive: true })
    mkdirSync(join(standIn, 'src/cli'), { recursive: true })
    if (!existsSync(join(standIn, 'node_modules'))) symlinkSync(`${root}node_modules`, join(standIn, 'node_modules'))
    writeFileSync(join(standIn, 'package.json'), '{"type":"module"}')
    writeFileSync(
      join(standIn, 'src/cli/main.ts'),
      `${program}\nsetInterval(() => {}, 1000)\nconsole.log(process.pid)\n`,
    )
    const launcher = spawn(old as string, [join(standIn, 'bin/millrace.mjs')], { stdio: ['ignore', 'pipe', 'inherit'] })
    const ended = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
      launcher.on('exit', (code, signal) => resolve({ code, signal }))
    })
    const pid = await new Promise<number>((resolve) => {
      launcher.stdout.setEncoding('utf8').on('data', (text: string) => resolve(Number(text.split('\n')[0])))
    })
    return { launcher, ended, pid }
  }
  const isAlive = (pid: number): boolean => {
    try {
      process.kill(pid, 0)
      return true
    } catch {
      return false
    }
  }

  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    test(`passes ${signal} on and ends as the program ends`, whenBundled, async () => {
      const { launcher, ended } = await start(`process.on('${signal}', () => process.exit(42))`)
      launcher.kill(signal)
      assert.deepEqual(await ended, { code: 42, signal: null })
    })
  test('ends by the signal that ended the program', whenBundled, async () => {
    const { ended, pid } = await start('')
    process.kill(pid, 'SIGKILL')
    assert.deepEqual(await ended, { code: null, signal: 'SIGKILL' })
  })
  test('killed hard, leaves no program behind', whenBundled, async () => {
    const tie = readFileSync(`${root}src/cli/main.ts`, 'utf8')
    const begin = tie.indexOf('if (process.env.MILLRACE_LAUNCHED')
    assert.notEqual(begin, -1)
    // The very lines of the command line, in the stand-in.
    const { launcher, ended, pid } = await start(tie.slice(begin, tie.indexOf('\n}\n', begin) + 3))
    launcher.kill('SIGKILL')
    assert.equal((await ended).signal, 'SIGKILL')
    const deadlineMs = Date.now() + 10_000
    while (isAlive(pid) && Date.now() < deadlineMs) await new Promise((resolve) => setTimeout(resolve, 20))
    assert.ok(!isAlive(pid), `process ${pid} is still there`)
  })
})
