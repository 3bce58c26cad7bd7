// Sets of characters, of those that a topic's name can have: ASCII. What else a pattern names fits no name.

const charactersMax = 128
/** Which of the 128 are in. */
export class Chars {
  readonly #isIn: Uint8Array
  constructor(isIn: Uint8Array) {
    this.#isIn = isIn
  }
  has(code: number): boolean {
    return this.#isIn[code] === 1
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
  return new Chars(Uint8Array.from({ length: charactersMax }, (_, code) => (isIn(code) ? 1 : 0)))
}
export const charSet = (...chars: readonly string[]): Chars =>
  charsWhere((code) => chars.includes(String.fromCharCode(code)))
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
