// Cuts TypeScript into tokens just well enough to see imports and names without being fooled by comments, strings,
// templates and regular expressions. Not a parser: no tree, no types, and a megabyte takes a few tens of milliseconds.

export interface Token {
  readonly kind: 'word' | 'mark' | 'string' | 'template' | 'number' | 'regex' | 'comment'
  /** Strings and templates without their quotes (escapes left as they are); comments whole; marks one character each. */
  readonly text: string
  readonly line: number
}

const isWordStart = (c: number): boolean =>
  (c >= 97 && c <= 122) || (c >= 65 && c <= 90) || c === 95 || c === 36 || c === 35 || c === 64 || c > 127
const isDigit = (c: number): boolean => c >= 48 && c <= 57

// After these a slash divides nothing: it begins a regular expression.
const WORDS_BEFORE_REGEX = new Set(
  'return typeof case in of delete void throw new else do instanceof yield await default extends'.split(' '),
)
const MARKS_BEFORE_DIVISION = new Set([')', ']', '}'])

/** All tokens of a source, comments included. Never throws: an unclosed string or comment ends at the end of its line or text. */
export function scan(source: string): Token[] {
  const tokens: Token[] = []
  // For each open `${`, how many `{` are open inside it: at 0 a `}` returns to the template.
  const templateDepths: number[] = []
  const lengthChars = source.length
  let at = 0
  let line = 1
  let lastSignificant: Token | null = null

  const push = (kind: Token['kind'], text: string, startLine: number): void => {
    const token: Token = { kind, text, line: startLine }
    tokens.push(token)
    if (kind !== 'comment') lastSignificant = token
  }
  const slashBeginsRegex = (): boolean => {
    const last = lastSignificant
    if (last === null) return true
    if (last.kind === 'word') return WORDS_BEFORE_REGEX.has(last.text)
    if (last.kind === 'mark') return !MARKS_BEFORE_DIVISION.has(last.text)
    return false
  }
  const quoted = (quote: string): void => {
    const start = at + 1
    at = start
    while (at < lengthChars && source[at] !== quote && source[at] !== '\n') at += source[at] === '\\' ? 2 : 1
    push('string', source.slice(start, at), line)
    if (source[at] === quote) at++
  }
  // Reads template text from `at` to its closing backtick or to the next `${`.
  const templateText = (): void => {
    const start = at
    const startLine = line
    while (at < lengthChars) {
      const c = source[at]
      if (c === '\\') {
        if (source[at + 1] === '\n') line++
        at += 2
        continue
      }
      if (c === '`') break
      if (c === '$' && source[at + 1] === '{') {
        push('template', source.slice(start, at), startLine)
        at += 2
        templateDepths.push(0)
        lastSignificant = { kind: 'mark', text: '{', line }
        return
      }
      if (c === '\n') line++
      at++
    }
    push('template', source.slice(start, at), startLine)
    at++
  }
  const regex = (): void => {
    const start = at++
    let inClass = false
    while (at < lengthChars && source[at] !== '\n') {
      const c = source[at]
      if (c === '\\') at++
      else if (c === '[') inClass = true
      else if (c === ']') inClass = false
      else if (c === '/' && !inClass) break
      at++
    }
    at++
    while (at < lengthChars && isWordStart(source.charCodeAt(at))) at++
    push('regex', source.slice(start, at), line)
  }

  while (at < lengthChars) {
    const c = source[at] as string
    const code = source.charCodeAt(at)
    const next = source[at + 1]
    if (c === '\n') {
      line++
      at++
    } else if (c === ' ' || c === '\t' || c === '\r') at++
    else if ((c === '/' && next === '/') || (at === 0 && c === '#' && next === '!')) {
      const end = source.indexOf('\n', at)
      const stop = end === -1 ? lengthChars : end
      push('comment', source.slice(at, stop), line)
      at = stop
    } else if (c === '/' && next === '*') {
      const end = source.indexOf('*/', at + 2)
      const stop = end === -1 ? lengthChars : end + 2
      const text = source.slice(at, stop)
      push('comment', text, line)
      for (const letter of text) if (letter === '\n') line++
      at = stop
    } else if (c === '"' || c === "'") quoted(c)
    else if (c === '`') {
      at++
      templateText()
    } else if (c === '/' && slashBeginsRegex()) regex()
    else if (isWordStart(code)) {
      const start = at++
      while (at < lengthChars && (isWordStart(source.charCodeAt(at)) || isDigit(source.charCodeAt(at)))) at++
      push('word', source.slice(start, at), line)
    } else if (isDigit(code)) {
      const start = at++
      while (at < lengthChars && /[0-9a-zA-Z_.]/.test(source[at] as string)) at++
      push('number', source.slice(start, at), line)
    } else {
      const innermost = templateDepths.length - 1
      if (innermost >= 0 && c === '{') templateDepths[innermost] = (templateDepths[innermost] ?? 0) + 1
      if (innermost >= 0 && c === '}') {
        if (templateDepths[innermost] === 0) {
          templateDepths.pop()
          at++
          templateText()
          continue
        }
        templateDepths[innermost] = (templateDepths[innermost] ?? 0) - 1
      }
      push('mark', c, line)
      at++
    }
  }
  return tokens
}

export interface Import {
  readonly specifier: string
  readonly line: number
  /** `url` is `new URL('./x.ts', import.meta.url)`: how worker threads name their module. */
  readonly form: 'static' | 'dynamic' | 'url'
  /** Only types come over: gone at run time. */
  readonly typeOnly: boolean
  /** Names taken by a static import, empty for `*`, default and side-effect imports. */
  readonly names: readonly string[]
}

/** The imports and re-exports among the tokens, in order. */
export function importsOf(tokens: readonly Token[]): Import[] {
  const code = tokens.filter((token) => token.kind !== 'comment')
  const found: Import[] = []
  const is = (index: number, text: string): boolean => {
    const token = code[index]
    return token !== undefined && token.text === text && (token.kind === 'word' || token.kind === 'mark')
  }
  for (let i = 0; i < code.length; i++) {
    const token = code[i] as Token
    if (token.kind !== 'word' || is(i - 1, '.')) continue
    if (token.text === 'new' && is(i + 1, 'URL') && is(i + 2, '(')) {
      const path = code[i + 3]
      if (path?.kind === 'string' && is(i + 4, ',') && is(i + 5, 'import') && is(i + 7, 'meta'))
        found.push({ specifier: path.text, line: path.line, form: 'url', typeOnly: false, names: [] })
      continue
    }
    if (token.text !== 'import' && token.text !== 'export') continue
    const after = code[i + 1]
    if (after === undefined || is(i + 1, '.')) continue
    if (token.text === 'import' && is(i + 1, '(')) {
      const path = code[i + 2]
      if (path && (path.kind === 'string' || (path.kind === 'template' && is(i + 3, ')'))))
        // `import('./x.ts').T` in a type is written the same way: it counts as a dynamic import, the stricter reading.
        found.push({ specifier: path.text, line: path.line, form: 'dynamic', typeOnly: false, names: [] })
      continue
    }
    if (token.text === 'import' && after.kind === 'string') {
      found.push({ specifier: after.text, line: after.line, form: 'static', typeOnly: false, names: [] })
      continue
    }
    if (token.text === 'export' && !is(i + 1, '{') && !is(i + 1, '*') && !is(i + 1, 'type')) continue
    const clause = clauseAfter(code, i + 1)
    if (clause) found.push({ ...clause, form: 'static' })
  }
  return found
}

const STATEMENT_WORDS = new Set('import export const let var function class interface async if for'.split(' '))

/** Reads `type? (* as x | name | { a, type b as c } …) from 'specifier'` starting at `from`, or null if it is not one. */
function clauseAfter(code: readonly Token[], from: number): Omit<Import, 'form'> | null {
  const names: string[] = []
  let typeNames = 0
  let otherBindings = 0
  let inBraces = false
  let atName = false
  let i = from
  const first = code[i]
  const second = code[i + 1]
  const wholeType = first?.text === 'type' && second !== undefined && second.text !== 'from' && second.text !== ','
  if (wholeType) i++
  for (; i < code.length; i++) {
    const token = code[i] as Token
    if (token.kind === 'word' && token.text === 'from' && !inBraces) {
      const path = code[i + 1]
      if (path?.kind !== 'string') return null
      const typeOnly = wholeType || (names.length > 0 && typeNames === names.length && otherBindings === 0)
      return { specifier: path.text, line: path.line, typeOnly, names }
    }
    if (token.kind === 'mark') {
      if (token.text === '{') {
        inBraces = true
        atName = true
      } else if (token.text === '}') inBraces = false
      else if (token.text === ',') atName = true
      else if (token.text === '*') otherBindings++
      else return null
    } else if (token.kind === 'word') {
      // `export { a }` without a `from` ends where the next statement begins.
      if (!inBraces && STATEMENT_WORDS.has(token.text)) return null
      if (!inBraces) otherBindings++
      else if (atName) {
        const next = code[i + 1]
        if (token.text === 'type' && next?.kind === 'word' && next.text !== 'as') {
          typeNames++
          continue
        }
        names.push(token.text)
        atName = false
      }
    } else return null
  }
  return null
}

/** The script parts of a `.svelte` file or the module scripts named by an `.html` file, as source with its lines kept. */
export function scriptOf(path: string, text: string): string {
  if (path.endsWith('.html')) {
    return [...text.matchAll(/<script[^>]*\bsrc="([^"]+)"/g)].map((match) => `import '.${match[1]}'`).join('\n')
  }
  if (!path.endsWith('.svelte')) return text
  let script = ''
  let done = 0
  for (const match of text.matchAll(/<script[^>]*>([\s\S]*?)<\/script>/g)) {
    const start = match.index + match[0].indexOf('>') + 1
    script += text.slice(done, start).replace(/[^\n]/g, '') + match[1]
    done = start + (match[1] ?? '').length
  }
  return script
}
