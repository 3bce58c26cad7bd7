// The guide docs/your-first-query.md is true: its programs compile (but for the one that must not), run, and print what
// stands under them. UPDATE_GOLDENS=1 writes what they print into the page.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { temporaryFolder } from '../files/watching.suite.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const page = join(root, 'docs/your-first-query.md')
/** What the package exports, from the sources. */
const doors = ['query', 'engine']

interface Block {
  readonly name: string
  readonly code: string
  readonly compiles: boolean
  /** What stands under it as its output; null: nothing. */
  readonly output: string | null
}
const fence = /```(\w+)([^\n]*)\n([\s\S]*?)```/g

function blocksOf(text: string): Block[] {
  const found = [...text.matchAll(fence)].map(([, language = '', flags = '', body = '']) => ({ language, flags, body }))
  return found.flatMap(({ language, flags, body }, i) => {
    if (language !== 'ts') return []
    const name = /^\/\/ ([\w-]+\.ts)\n/.exec(body)?.[1]
    assert.ok(name !== undefined, `the first line of a block names its file, not ${body.split('\n')[0]}`)
    const next = found[i + 1]
    const output = next?.language === 'text' ? next.body : null
    return [{ name, code: body, compiles: !flags.includes('does-not-compile'), output }]
  })
}

test('the guide to a first query: its programs compile, run, and print what it says', () => {
  const text = readFileSync(page, 'utf8')
  const blocks = blocksOf(text)
  assert.ok(blocks.length >= 6)
  const { path: folder, remove } = temporaryFolder()
  try {
    for (const { name, code } of blocks) {
      const pointed = code.replaceAll(/'millrace\/(\w+)'/g, (_, door: string) => {
        assert.ok(doors.includes(door), `millrace/${door} is not a door of this guide`)
        return `'${root}src/embed/${door}.ts'`
      })
      writeFileSync(join(folder, name), pointed)
    }
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
    const { compilerOptions } = JSON.parse(readFileSync(join(root, 'tsconfig.json'), 'utf8'))
    const tsconfig = { compilerOptions, include: ['*.ts'] }
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(tsconfig))
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
    const checked = spawnSync(process.execPath, [join(root, 'node_modules/typescript-native/bin/tsc'), '-p', folder], {
      encoding: 'utf8',
      cwd: folder,
    })
    const errors = checked.stdout.split('\n').filter((line) => /error TS/.test(line))
    const wrong = blocks.filter(({ compiles }) => !compiles)
    for (const { name } of wrong) {
      assert.ok(errors.filter((line) => line.includes(name)).length >= 2, `${name} compiles:\n${checked.stdout}`)
    }
    const others = errors.filter((line) => !wrong.some(({ name }) => line.includes(name)))
    assert.deepEqual(others, [])

    let renewed = text
    for (const { name, output, code } of blocks) {
      if (output === null) continue
      const ran = spawnSync(process.execPath, [name], { cwd: folder, encoding: 'utf8' })
      assert.equal(ran.status, 0, `${name}: ${ran.stderr}`)
      if (process.env.UPDATE_GOLDENS) {
        const at = renewed.indexOf(code) + code.length
        renewed =
          renewed.slice(0, at) + renewed.slice(at).replace(`\`\`\`text\n${output}`, () => `\`\`\`text\n${ran.stdout}`)
      } else assert.equal(ran.stdout, output, `what ${name} prints`)
    }
    if (renewed !== text) writeFileSync(page, renewed)
  } finally {
    remove()
  }
})
