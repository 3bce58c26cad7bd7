// Tests of the scanner: what counts as an import, and what only looks like one.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { importsOf, scan, scriptOf } from './scan.ts'

const specifiers = (source: string): string[] =>
  importsOf(scan(source)).map((found) => `${found.form}${found.typeOnly ? ' type' : ''} ${found.specifier}`)

describe('imports that are seen', () => {
  const table: readonly [name: string, source: string, found: readonly string[]][] = [
    ['side effect', `import './a.ts'`, ['static ./a.ts']],
    ['named', `import { a, b as c } from "./a.ts"`, ['static ./a.ts']],
    ['default and named', `import a, { b } from './a.ts'`, ['static ./a.ts']],
    ['namespace', `import * as a from './a.ts'`, ['static ./a.ts']],
    ['over several lines', `import {\n  a, // one\n  b,\n} from './a.ts'`, ['static ./a.ts']],
    ['type only', `import type { A } from './a.ts'`, ['static type ./a.ts']],
    ['all names types', `import { type A, type B } from './a.ts'`, ['static type ./a.ts']],
    ['one name a value', `import { type A, b } from './a.ts'`, ['static ./a.ts']],
    ['a value called type', `import { type } from './a.ts'`, ['static ./a.ts']],
    ['a default called type', `import type from './a.ts'`, ['static ./a.ts']],
    ['re-export', `export { a } from './a.ts'`, ['static ./a.ts']],
    ['re-export of all', `export * from './a.ts'`, ['static ./a.ts']],
    ['re-export of types', `export type { A } from './a.ts'`, ['static type ./a.ts']],
    ['dynamic', `const a = await import('./a.ts')`, ['dynamic ./a.ts']],
    ['dynamic with a template', 'const a = await import(`./a.ts`)', ['dynamic ./a.ts']],
    ['a worker module', `spawn(new URL('./worker.ts', import.meta.url))`, ['url ./worker.ts']],
    ['with attributes', `import a from './a.json' with { type: 'json' }`, ['static ./a.json']],
    ['inside a template', "const s = `x ${await import('./a.ts')} y`", ['dynamic ./a.ts']],
    ['after a regex with a quote', `const r = /'/\nimport { a } from './a.ts'`, ['static ./a.ts']],
    ['after a division', `const r = a / b / c\nimport { a } from './a.ts'`, ['static ./a.ts']],
    ['after nested templates', "const s = `a${`b${{ c: '}' }}`}`\nimport './a.ts'", ['static ./a.ts']],
    ['after an export of own names', `export { a }\nimport { b } from './b.ts'`, ['static ./b.ts']],
    ['after a shebang', `#!/usr/bin/env node\nimport './a.ts'`, ['static ./a.ts']],
  ]
  for (const [name, source, found] of table) test(name, () => assert.deepEqual(specifiers(source), found))
})

describe('what only looks like an import', () => {
  const table: readonly [name: string, source: string][] = [
    ['in a line comment', `// import './a.ts'`],
    ['in a block comment', `/* import './a.ts'\n import './b.ts' */`],
    ['in a string', `const s = "import './a.ts'"`],
    ['in a string with an escape', `const s = 'it\\'s import("./a.ts")'`],
    ['in a template', "const s = `import './a.ts'`"],
    ['in a regex', `const r = /import '.\\/a.ts'/`],
    ['in a regex class with a slash', `const r = /[/'"]import '.\\/a.ts'/`],
    ['import.meta', `const here = import.meta.url`],
    ['a method called import', `a.import('./a.ts')`],
    ['an export of a type', `export type A = { from: 'x' }`],
    ['an export of own names', `export { a, b }`],
    ['a URL of something else', `new URL('./a.ts', base)`],
  ]
  for (const [name, source] of table) test(name, () => assert.deepEqual(specifiers(source), []))
})

test('tokens carry their line, over comments, strings and templates of several lines', () => {
  const tokens = scan('/* one\ntwo */ a\n`x\n${b}\ny`\nc')
  assert.deepEqual(
    tokens.filter((token) => token.kind === 'word').map((token) => `${token.text}:${token.line}`),
    ['a:2', 'b:4', 'c:6'],
  )
})

test('an unclosed comment, string, template or regex ends the scan quietly', () => {
  for (const source of ['/* a', '"a', '`a ${b', 'x = /a', '`${']) assert.ok(scan(source).length > 0, source)
})

test('the script of a Svelte file keeps its lines; an HTML file imports its module scripts', () => {
  const svelte = scriptOf(
    'A.svelte',
    `<!-- a -->\n<script lang="ts">\nimport './b.ts'\n</script>\n<p>import './c.ts'</p>`,
  )
  assert.deepEqual(
    importsOf(scan(svelte)).map(({ specifier, line }) => [specifier, line]),
    [['./b.ts', 3]],
  )
  assert.deepEqual(specifiers(scriptOf('index.html', '<script type="module" src="/main.ts"></script>')), [
    'static ./main.ts',
  ])
})
