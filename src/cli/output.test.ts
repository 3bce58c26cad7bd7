// Tests of what commands print: forms, colours, progress, cleaning.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { clean, type Globals, output, wantsColour } from './output.ts'

function printer(globals: Globals, options: { readonly tty?: boolean; readonly env?: Record<string, string> } = {}) {
  const written = { stdout: '', stderr: '' }
  let nowMs = 0
  const sink = (name: 'stdout' | 'stderr') => ({
    isTTY: options.tty === true,
    columns: 40,
    write: (text: string) => {
      written[name] += text
    },
  })
  const out = output(globals, {
    stdout: sink('stdout'),
    stderr: sink('stderr'),
    env: options.env ?? {},
    nowMs: () => nowMs,
  })
  return {
    out,
    written,
    pass(ms: number) {
      nowMs += ms
    },
  }
}
const columns = [{ name: 'month' }, { name: 'gross', title: 'gross (GBP)', alignRight: true, decimals: 2 }]
const rows = [
  { month: '2010-12', gross: 823746.14 },
  { month: '2011-01', gross: 60.5 },
]

describe('a table in every form', () => {
  const table: readonly [name: string, globals: Globals, text: string][] = [
    ['text', {}, 'month    gross (GBP)\n───────  ───────────\n2010-12   823,746.14\n2011-01        60.50\n'],
    ['plain', { plain: true }, '2010-12\t823746.14\n2011-01\t60.50\n'],
    ['json', { json: true }, '[{"month":"2010-12","gross":823746.14},{"month":"2011-01","gross":60.5}]\n'],
    ['ndjson', { ndjson: true }, '{"month":"2010-12","gross":823746.14}\n{"month":"2011-01","gross":60.5}\n'],
  ]
  for (const [name, globals, text] of table)
    test(name, () => {
      const { out, written } = printer(globals)
      out.table(columns, rows)
      assert.deepEqual(written, { stdout: text, stderr: '' })
    })
})

test('data goes to stdout, messages to stderr; --quiet drops messages, --verbose adds details', () => {
  const print = (globals: Globals) => {
    const { out, written } = printer(globals)
    out.print('data')
    out.say('message')
    out.detail('detail')
    out.warn('warning')
    return written
  }
  assert.deepEqual(print({}), { stdout: 'data\n', stderr: 'message\nwarning\n' })
  assert.deepEqual(print({ quiet: true }), { stdout: 'data\n', stderr: 'warning\n' })
  assert.deepEqual(print({ verbose: true }), { stdout: 'data\n', stderr: 'message\ndetail\nwarning\n' })
})

describe('progress', () => {
  test('without a terminal: a line every two seconds at most, none for what is quick, nothing that moves a cursor', () => {
    const { out, written, pass } = printer({})
    for (let i = 0; i < 50; i++) {
      out.progress(`at ${i}`)
      pass(100)
    }
    out.progress('')
    assert.equal(written.stderr, 'at 20\nat 40\n')
  })
  test('on a terminal: one line that is overwritten, cut to its width, gone before anything else', () => {
    const { out, written } = printer({}, { tty: true })
    out.progress('x'.repeat(100))
    out.say('done')
    assert.equal(written.stderr, `\r\u001b[K${'x'.repeat(39)}\r\u001b[Kdone\n`)
  })
  test('none with --quiet', () => {
    const { out, written } = printer({ quiet: true }, { tty: true })
    out.progress('x')
    assert.equal(written.stderr, '')
  })
})

describe('colours', () => {
  const terminal = { isTTY: true, write: () => {} }
  const file = { isTTY: false, write: () => {} }
  const table: readonly [name: string, seen: boolean, expected: boolean][] = [
    ['on a terminal', wantsColour({}, {}, terminal), true],
    ['not in a file', wantsColour({}, {}, file), false],
    ['NO_COLOR', wantsColour({}, { NO_COLOR: '1' }, terminal), false],
    ['an empty NO_COLOR does not count', wantsColour({}, { NO_COLOR: '' }, terminal), true],
    ['--no-color beats FORCE_COLOR', wantsColour({ color: false }, { FORCE_COLOR: '1' }, terminal), false],
    ['FORCE_COLOR in a file', wantsColour({}, { FORCE_COLOR: '1' }, file), true],
    ['FORCE_COLOR=0', wantsColour({}, { FORCE_COLOR: '0' }, terminal), false],
    ['TERM=dumb', wantsColour({}, { TERM: 'dumb' }, terminal), false],
  ]
  for (const [name, seen, expected] of table) test(name, () => assert.equal(seen, expected))
})

describe('what a terminal would obey is taken out', () => {
  for (const [text, expected] of [
    ['plain', 'plain'],
    ['São Paulo ✓', 'São Paulo ✓'],
    ['\u001b[31mred\u001b[0m', 'red'],
    ['\u001b]0;title\u0007rest', 'rest'],
    ['\u001b]8;;http://a\u001b\\link\u001b]8;;\u001b\\', 'link'],
    ['a\tb\r\nc', 'a b c'],
    ['a\u0000\u0008\u007f\u009bb', 'ab'],
    ['\u202eevil', 'evil'],
    ['ends in \u001b', 'ends in '],
  ] as const)
    test(JSON.stringify(text), () => assert.equal(clean(text), expected))
})
