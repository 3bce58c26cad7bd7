// Patterns: what they fit, as RE2 would say; what is refused; hostile ones in bounded steps.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { patternCharactersMax } from './pattern-parser.ts'
import { stepsMax, type TopicPattern, topicPattern } from './topic-pattern.ts'

function pattern(source: string): TopicPattern {
  const made = topicPattern(source)
  assert.ok(typeof made !== 'string', `${source}: ${made as string}`)
  return made
}

test('patterns fit whole names', () => {
  const cases: readonly (readonly [source: string, fits: readonly string[], not: readonly string[]])[] = [
    ['orders', ['orders'], ['orders2', 'myorders', 'Orders', '']],
    ['orders.*', ['orders', 'orders-eu', 'orders.dlq'], ['order']],
    ['orders|carts', ['orders', 'carts'], ['orderscarts', 'order']],
    ['^(orders|carts)-[a-z]{2}$', ['orders-eu', 'carts-us'], ['orders-e', 'orders-eu2']],
    ['[^_].*', ['a', '.x'], ['_hidden', '']],
    ['[\\w.-]+', ['a_b.c-d'], ['a b', '']],
    ['\\Aa\\.b\\z', ['a.b'], ['axb']],
    ['a\\Q.*\\E+', ['a.*', 'a.**'], ['a.', 'abb']],
    ['(?i)orders-EU', ['ORDERS-eu', 'orders-eu'], ['orders-us']],
    ['(?i:A)b', ['ab', 'Ab'], ['aB']],
    ['(?P<region>eu|us)-(?<kind>x)', ['eu-x', 'us-x'], ['eu-y']],
    ['(?:ab){2,3}', ['abab', 'ababab'], ['ab', 'abababab']],
    ['a{0}b{1,}?', ['b', 'bb'], ['ab', '']],
    ['a{,2}', ['a{,2}'], ['a', 'aa']],
    ['x{', ['x{'], ['x']],
    ['[[:alpha:]][[:^digit:]]', ['ab', 'a-'], ['a1', '1a']],
    ['\\pL\\p{Lu}\\P{N}', ['aBc', 'aB-'], ['abc', 'aB1']],
    ['[\\d-]+', ['1-2'], ['a']],
    ['[]a]+', [']a'], ['b']],
    ['\\x61\\x{62}\\141', ['aba'], ['abc']],
    ['.*\\bor\\b.*', ['this-or-that', 'or'], ['orders', 'for']],
    ['a\\Bb', ['ab'], ['a-b']],
    ['()*', [''], ['a']],
    ['(a*)*', ['', 'aaa'], ['b']],
    ['(|a)+', ['', 'aa'], ['b']],
    ['', [''], ['a']],
    ['(a|b$)c?', ['a', 'ac', 'b'], ['bc']],
  ]
  for (const [source, fits, not] of cases) {
    for (const name of fits) assert.ok(pattern(source).fits(name), `${source} fits ${name}`)
    for (const name of not) assert.ok(!pattern(source).fits(name), `${source} does not fit ${name}`)
  }
})

test('what RE2 does not have, or this does not know, is refused and says where', () => {
  const refused = [
    '(a',
    'a)',
    '[a',
    '*a',
    'a**',
    'a+++',
    '(?=a)',
    '(?!a)',
    '(?<=a)',
    '(?<!a)',
    '\\1',
    '(a)\\1',
    'a{2,1}',
  ]
  refused.push('a{1001}', '\\', '[b-a]', '\\p{Greek}', '[[:nope:]]', '(?>a)', '(?z)', '\\q', 'a++', '(?<1>a)', '\\k<a>')
  for (const source of refused) {
    const problem = topicPattern(source)
    assert.equal(typeof problem, 'string', source)
  }
  assert.match(topicPattern('ab(c') as string, /a group that is not closed, at character 4 of ab\(c/)
})

test('hostile patterns: bounded machines, steps in proportion to the name', () => {
  for (const source of ['(a{1000}){1000}', '((a{100}){100}){100}', '(((){1000}){1000}){1000}', 'a{1000}b']) {
    assert.match(topicPattern(source) as string, /more than/, source)
  }
  assert.match(topicPattern('a'.repeat(patternCharactersMax + 1)) as string, /characters/)
  assert.match(topicPattern('('.repeat(500)) as string, /groups in each other/)
  assert.equal(typeof topicPattern('a'.repeat(stepsMax - 1)), 'object')
  const name = `${'a'.repeat(248)}!`
  // Each of these takes a backtracking engine longer than anyone waits.
  for (const source of [
    '(a+)+b',
    '(a|a)*b',
    '(a|aa)+b',
    '(.*)*(.*)*(.*)*b',
    '(a?){100}a{100}b',
    '((a*)*)*b',
    '(x+x+)+y|(a+a+)+y',
  ]) {
    assert.equal(pattern(source).fits(name), false, source)
  }
})

test('as JavaScript’s own engine on patterns that both have', () => {
  const atom = fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '\\w', '(a|b)', '(ab)', '(?:b|)', 'a?')
  const piece = fc.tuple(atom, fc.constantFrom('', '*', '+', '?', '{2}', '{1,3}')).map(([one, times]) => one + times)
  const source = fc.array(fc.oneof(piece, fc.constant('|')), { maxLength: 6 }).map((pieces) => pieces.join(''))
  const names = fc.array(fc.constantFrom('a', 'b', 'c', '-'), { maxLength: 8 }).map((chars) => chars.join(''))
  fc.assert(
    fc.property(source, names, (text, name) => {
      // The one difference: a repetition of a repetition is an error of RE2's.
      if (/a\?[*+?{]/.test(text)) return
      assert.equal(pattern(text).fits(name), new RegExp(`^(?:${text})$`).test(name), `${text} on ${name}`)
    }),
    { numRuns: 2_000 },
  )
})
