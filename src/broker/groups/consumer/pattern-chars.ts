// Sets of characters, of those that a topic's name can have: ASCII. What else a pattern names fits no name.

const charactersMax = 128
/** Which of the 128 are in: a bit each, in four words. */
export class Chars {
  readonly #words: readonly [number, number, number, number]
  constructor(words: readonly [number, number, number, number]) {
    this.#words = words
  }
  has(code: number): boolean {
    const word = this.#words[code >> 5]
    return word !== undefined && ((word >>> (code & 31)) & 1) === 1
  }
  /** With both cases of each letter. */
  anyCase(): Chars {
    return charsWhere((code) => {
      const char = String.fromCharCode(code)
      return this.has(code) || this.has(char.toLowerCase().charCodeAt(0)) || this.has(char.toUpperCase().charCodeAt(0))
    })
  }
}
export function charsWhere(isIn: (code: number) => boolean): Chars {
  const words: [number, number, number, number] = [0, 0, 0, 0]
  for (let code = 0; code < charactersMax; code++) if (isIn(code)) words[code >> 5]! |= 1 << (code & 31)
  return new Chars(words)
}
const noChars = charsWhere(() => false)
const single: readonly Chars[] = Array.from({ length: charactersMax }, (_, code) => charsWhere((each) => each === code))
/** The character, or none if no name has it: one set for each, whoever asks. */
export const charSet = (char: string): Chars => (char.length === 1 ? single[char.charCodeAt(0)] : undefined) ?? noChars
const eitherCase: readonly Chars[] = single.map((chars) => chars.anyCase())
/** Of a letter both cases. */
export const charSetOfAnyCase = (char: string): Chars => {
  // The long s and the sign of Kelvin have lower cases that names can have.
  const [upper, lower] = [char.toUpperCase(), char.toLowerCase()]
  const known = [upper, lower].find((each) => each.length === 1 && each.charCodeAt(0) < charactersMax)
  return known === undefined ? noChars : eitherCase[known.charCodeAt(0)]!
}
const charsLike = (example: RegExp): Chars => charsWhere((code) => example.test(String.fromCharCode(code)))

export const isWordChar = (code: number | undefined): boolean => code !== undefined && wordChars.has(code)
const wordChars = charsLike(/\w/)
const perlClasses: ReadonlyMap<string, Chars> = new Map([
  ['d', charsLike(/[0-9]/)],
  ['D', charsLike(/[^0-9]/)],
  ['w', wordChars],
  ['W', charsLike(/\W/)],
  ['s', charsLike(/[\t\n\f\r ]/)],
  ['S', charsLike(/[^\t\n\f\r ]/)],
])
/** `\d` and the like, by their letter. */
export const perlClass = (letter: string): Chars | null => perlClasses.get(letter) ?? null

const namedClasses: ReadonlyMap<string, Chars> = new Map([
  ['alnum', charsLike(/[0-9A-Za-z]/)],
  ['alpha', charsLike(/[A-Za-z]/)],
  ['ascii', charsWhere(() => true)],
  ['blank', charsLike(/[\t ]/)],
  ['cntrl', charsWhere((code) => code < 32 || code === 127)],
  ['digit', charsLike(/[0-9]/)],
  ['graph', charsWhere((code) => code > 32 && code < 127)],
  ['lower', charsLike(/[a-z]/)],
  ['print', charsWhere((code) => code >= 32 && code < 127)],
  ['punct', charsLike(/[!-/:-@[-`{-~]/)],
  ['space', charsLike(/[\t\n\v\f\r ]/)],
  ['upper', charsLike(/[A-Z]/)],
  ['word', wordChars],
  ['xdigit', charsLike(/[0-9A-Fa-f]/)],
])
/** `[:alpha:]` and the like. */
export const namedClass = (name: string): Chars | null => namedClasses.get(name) ?? null

const unicodeNames = [
  'L',
  'Lu',
  'Ll',
  'N',
  'Nd',
  'P',
  'Pd',
  'Pc',
  'Po',
  'Ps',
  'Pe',
  'S',
  'Sm',
  'Sc',
  'Sk',
  'Z',
  'Zs',
  'Cc',
]
/** `\pL` and the like: Unicode's general categories that have ASCII characters. */
export const unicodeClass = (name: string): Chars | null =>
  unicodeNames.includes(name) ? charsLike(new RegExp(`\\p{${name}}`, 'u')) : null
