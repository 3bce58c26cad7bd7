// Reads regular expressions in RE2's syntax, as far as they can say something of a topic's name: no back-references, no
// looking around, no possessive repetition. What RE2 does not know is refused, and so is what it knows and this does not
// (Unicode scripts, some rare classes): never taken for something else.
import {
  type Chars,
  charSet,
  charSetOfAnyCase,
  charsWhere,
  namedClass,
  perlClass,
  unicodeClass,
} from './pattern-chars.ts'

export type PatternNode =
  | { readonly kind: 'chars'; readonly chars: Chars }
  | { readonly kind: 'all'; readonly parts: readonly PatternNode[] }
  | { readonly kind: 'any'; readonly parts: readonly PatternNode[] }
  | { readonly kind: 'repeat'; readonly part: PatternNode; readonly min: number; readonly max: number }
  | { readonly kind: 'at'; readonly place: 'start' | 'end' | 'word edge' | 'no word edge' }

export class PatternError extends Error {
  override name = 'PatternError'
}
/** Of a pattern. */
export const patternCharactersMax = 1_000
/** Groups within groups. */
const depthMax = 100
/** As in RE2. */
const repeatMax = 1_000
const anyChar = charsWhere(() => true)
const nothing: PatternNode = { kind: 'all', parts: [] }

export function parsePattern(source: string): PatternNode {
  if (source.length > patternCharactersMax) {
    throw new PatternError(`${source.length} characters; a pattern has ${patternCharactersMax} at most`)
  }
  return new Parser(source).whole()
}

class Parser {
  readonly #source: string
  #at = 0
  #depth = 0
  #ignoreCase = false

  constructor(source: string) {
    this.#source = source
  }
  whole(): PatternNode {
    const node = this.#alternatives()
    if (this.#at < this.#source.length) this.#fail('a ) that closes nothing')
    return node
  }
  #fail(what: string): never {
    throw new PatternError(`${what}, at character ${this.#at} of ${this.#source}`)
  }
  #peek(): string {
    return this.#source[this.#at] ?? ''
  }
  #take(text: string): boolean {
    if (!this.#source.startsWith(text, this.#at)) return false
    this.#at += text.length
    return true
  }
  #next(what: string): string {
    const char = this.#peek()
    if (char === '') this.#fail(`an end where ${what} is expected`)
    this.#at++
    return char
  }

  #alternatives(): PatternNode {
    if (++this.#depth > depthMax) this.#fail(`more than ${depthMax} groups in each other`)
    // A flag that is set within a group ends with it.
    const ignoreCase = this.#ignoreCase
    const parts = [this.#sequence()]
    while (this.#take('|')) parts.push(this.#sequence())
    this.#ignoreCase = ignoreCase
    this.#depth--
    return parts.length === 1 ? parts[0]! : { kind: 'any', parts }
  }
  #sequence(): PatternNode {
    const parts: PatternNode[] = []
    while (this.#peek() !== '' && this.#peek() !== '|' && this.#peek() !== ')') {
      const atoms = this.#take('\\Q') ? this.#quoted() : [this.#atom()]
      const last = atoms.pop()
      if (last !== undefined) parts.push(...atoms, this.#repeated(last))
    }
    return parts.length === 1 ? parts[0]! : { kind: 'all', parts }
  }
  #quoted(): PatternNode[] {
    const end = this.#source.indexOf('\\E', this.#at)
    const text = this.#source.slice(this.#at, end < 0 ? undefined : end)
    this.#at = end < 0 ? this.#source.length : end + 2
    return [...text].map((char) => this.#literal(char))
  }
  #literal(char: string): PatternNode {
    return { kind: 'chars', chars: this.#ignoreCase ? charSetOfAnyCase(char) : charSet(char) }
  }

  #repeated(atom: PatternNode): PatternNode {
    let node = atom
    for (let times = 0; ; times++) {
      const range = this.#range()
      if (range === null) return node
      if (times > 0) this.#fail('a repetition of a repetition')
      // Greedy or not is of no matter to whether a name fits.
      this.#take('?')
      node = { kind: 'repeat', part: node, ...range }
    }
  }
  #range(): { readonly min: number; readonly max: number } | null {
    if (this.#take('*')) return { min: 0, max: Infinity }
    if (this.#take('+')) return { min: 1, max: Infinity }
    if (this.#take('?')) return { min: 0, max: 1 }
    const counted = /^\{(\d{1,4})(,(\d{0,4}))?\}/.exec(this.#source.slice(this.#at, this.#at + 12))
    // Any other { stands for itself, as in RE2.
    if (counted === null) return null
    this.#at += counted[0].length
    const min = Number(counted[1])
    const max = counted[2] === undefined ? min : counted[3] === '' ? Infinity : Number(counted[3])
    if (min > repeatMax || (max !== Infinity && max > repeatMax) || max < min) this.#fail(`a repetition ${counted[0]}`)
    return { min, max }
  }

  #atom(): PatternNode {
    const char = this.#next('something to match')
    switch (char) {
      case '.':
        return { kind: 'chars', chars: anyChar }
      case '^':
        return { kind: 'at', place: 'start' }
      case '$':
        return { kind: 'at', place: 'end' }
      case '[':
        return { kind: 'chars', chars: this.#class() }
      case '(':
        return this.#group()
      case '\\':
        return this.#escape()
      case '*':
      case '+':
      case '?':
        return this.#fail(`a ${char} after nothing`)
      default:
        return this.#literal(char)
    }
  }
  #group(): PatternNode {
    const ignoreCase = this.#ignoreCase
    if (this.#take('?')) {
      const named = /^P?<[A-Za-z_]\w*>/.exec(this.#source.slice(this.#at))
      if (named !== null) this.#at += named[0].length
      else if (!this.#flags()) return nothing
    }
    const node = this.#alternatives()
    if (!this.#take(')')) this.#fail('a group that is not closed')
    this.#ignoreCase = ignoreCase
    return node
  }
  /** `?i:` and the like. False: the flags hold for the rest of the group around, and there is no group here. */
  #flags(): boolean {
    const flags = /^([imsU]*)(-([imsU]+))?([:)])/.exec(this.#source.slice(this.#at))
    if (flags === null) return this.#fail('a group that RE2 does not have')
    this.#at += flags[0].length
    if (flags[1]!.includes('i')) this.#ignoreCase = true
    if (flags[3]?.includes('i') === true) this.#ignoreCase = false
    return flags[4] === ':'
  }

  #escape(): PatternNode {
    const char = this.#peek()
    const place = { A: 'start', z: 'end', b: 'word edge', B: 'no word edge' } as const
    if (char === 'A' || char === 'z' || char === 'b' || char === 'B') {
      this.#at++
      return { kind: 'at', place: place[char] }
    }
    const chars = this.#escapedClass()
    return chars === null ? this.#literal(this.#escapedChar()) : { kind: 'chars', chars }
  }
  /** After the backslash: \d, \pL and the like; null if it is one character. */
  #escapedClass(): Chars | null {
    const perl = perlClass(this.#peek())
    if (perl !== null) {
      this.#at++
      return perl
    }
    const unicode = /^([pP])(\{(\^?)(\w+)\}|(\w))/.exec(this.#source.slice(this.#at))
    if (unicode === null) return null
    const named = unicodeClass(unicode[4] ?? unicode[5]!)
    if (named === null) this.#fail(`a class ${unicode[0]} that is not known here`)
    this.#at += unicode[0].length
    const isNegated = (unicode[1] === 'P') !== (unicode[3] === '^')
    return isNegated ? charsWhere((code) => !named.has(code)) : named
  }
  #escapedChar(): string {
    const hex = /^x([0-9A-Fa-f]{2})|^x\{([0-9A-Fa-f]{1,6})\}|^([0-7]{2,3}|0)/.exec(this.#source.slice(this.#at))
    if (hex !== null) {
      this.#at += hex[0].length
      const code = hex[3] === undefined ? Number.parseInt(hex[1] ?? hex[2]!, 16) : Number.parseInt(hex[3], 8)
      if (code > 0x10ffff) this.#fail(`a character ${hex[0]}`)
      return String.fromCodePoint(code)
    }
    const char = this.#next('an escaped character')
    const control = { a: '\x07', f: '\f', t: '\t', n: '\n', r: '\r', v: '\v' } as const
    if (char in control) return control[char as keyof typeof control]
    if (/\w/.test(char)) this.#fail(`an escape \\${char} that RE2 does not have`)
    return char
  }

  #class(): Chars {
    const isNegated = this.#take('^')
    const sets: Chars[] = []
    for (let first = true; first || this.#peek() !== ']'; first = false) {
      const posix = /^\[:(\^?)(\w+):\]/.exec(this.#source.slice(this.#at))
      if (posix !== null) {
        const named = namedClass(posix[2]!)
        if (named === null) this.#fail(`a class ${posix[0]} that is not known here`)
        this.#at += posix[0].length
        sets.push(posix[1] === '^' ? charsWhere((code) => !named.has(code)) : named)
        continue
      }
      if (this.#peek() === '\\') {
        this.#at++
        const escaped = this.#escapedClass()
        if (escaped !== null) {
          sets.push(escaped)
          continue
        }
        this.#at--
      }
      sets.push(this.#classRange())
    }
    this.#at++
    const folded = sets.map((set) => (this.#ignoreCase ? set.anyCase() : set))
    return charsWhere((code) => folded.some((set) => set.has(code)) !== isNegated)
  }
  #classRange(): Chars {
    const from = this.#classChar()
    const isRange =
      this.#peek() === '-' && this.#source[this.#at + 1] !== ']' && this.#source[this.#at + 1] !== undefined
    if (!isRange) return charSet(from)
    this.#at++
    const to = this.#classChar()
    const [first, last] = [from.codePointAt(0)!, to.codePointAt(0)!]
    if (last < first) this.#fail(`a range ${from}-${to}`)
    return charsWhere((code) => code >= first && code <= last)
  }
  #classChar(): string {
    const char = this.#next('the end of a class')
    return char === '\\' ? this.#escapedChar() : char
  }
}
