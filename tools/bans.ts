// What may not be touched outside the allowed places, and what to use instead: clock, randomness, disk, network,
// timers, threads, environment. Whoever reaches for one of these makes a run that no seed can repeat.
import type { Import, Token } from './scan.ts'

export interface Violation {
  readonly line: number
  readonly what: string
  readonly instead: string
}

const CLOCK = 'take a World and use world.clock.nowMs() (wall time) or world.clock.monoMs() (durations)'
const RANDOM = 'take a RandomStream (std/random.ts): world.random.fork(name) at the root, a fork of it below'
const TIMER = 'world.clock.timer(), world.clock.sleep() or world.clock.soon()'
const DISK = 'world.fs'
const NETWORK = 'world.net'
const THREAD = 'world.threads.spawn()'
const HOST = 'world.host'
const SETTINGS = 'world.host.env(name) where the program begins; further in, a settings object'
const STREAMS = 'return the value or the typed error; src/cli/ prints it and picks the exit code'

const MODULES: Readonly<Record<string, string>> = {
  fs: DISK,
  'fs/promises': DISK,
  net: NETWORK,
  dgram: NETWORK,
  tls: NETWORK,
  http: NETWORK,
  https: NETWORK,
  http2: NETWORK,
  dns: NETWORK,
  'dns/promises': NETWORK,
  child_process: THREAD,
  worker_threads: THREAD,
  cluster: THREAD,
  timers: TIMER,
  'timers/promises': TIMER,
  perf_hooks: CLOCK,
  os: HOST,
  process: SETTINGS,
  readline: STREAMS,
  'readline/promises': STREAMS,
  tty: STREAMS,
}

// `object.member`; the object may be reached through globalThis.
const MEMBERS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  Date: { now: CLOCK },
  Math: { random: RANDOM },
  performance: { now: CLOCK, timeOrigin: CLOCK, mark: CLOCK, measure: CLOCK },
  AbortSignal: { timeout: TIMER },
  process: {
    nextTick: 'world.clock.soon()',
    hrtime: CLOCK,
    uptime: CLOCK,
    env: SETTINGS,
    argv: SETTINGS,
    cwd: SETTINGS,
    pid: 'world.host.pid',
    kill: 'world.host.isAlive(pid) to look; stopping processes belongs in src/cli/',
    exit: STREAMS,
    stdin: STREAMS,
    stdout: STREAMS,
    stderr: STREAMS,
  },
  crypto: {
    randomUUID: RANDOM,
    getRandomValues: RANDOM,
    randomBytes: RANDOM,
    randomInt: RANDOM,
    randomFillSync: RANDOM,
    randomFill: RANDOM,
  },
  console: { log: STREAMS, error: STREAMS, warn: STREAMS, info: STREAMS, debug: STREAMS },
}

const CALLS: Readonly<Record<string, string>> = {
  setTimeout: TIMER,
  setInterval: TIMER,
  setImmediate: TIMER,
  fetch: NETWORK,
}
const CONSTRUCTIONS: Readonly<Record<string, string>> = {
  Worker: THREAD,
  WebSocket: NETWORK,
  EventSource: NETWORK,
  WeakRef: 'hold the object or drop it: when garbage is collected is not repeatable',
  FinalizationRegistry: 'free it where its life ends: when garbage is collected is not repeatable',
}

/** Every use of the outside among the imports and tokens of one file. */
export function outsideUses(tokens: readonly Token[], imports: readonly Import[]): Violation[] {
  const found: Violation[] = []
  for (const { specifier, names, line, typeOnly } of imports) {
    if (typeOnly) continue
    const module = specifier.startsWith('node:') ? specifier.slice(5) : specifier
    const instead = MODULES[module]
    if (instead !== undefined) found.push({ line, what: `imports ${specifier}`, instead })
    if (module === 'crypto') {
      for (const name of names)
        if (/^random|^getRandomValues$|^webcrypto$/.test(name))
          found.push({ line, what: `imports ${name} from ${specifier}`, instead: RANDOM })
    }
  }
  const code = tokens.filter((token) => token.kind !== 'comment')
  const text = (index: number): string => {
    const token = code[index]
    return token !== undefined && (token.kind === 'word' || token.kind === 'mark') ? token.text : ''
  }
  // A name the file imports or declares is its own, not the global one.
  const own = new Set(imports.flatMap(({ names }) => names))
  for (let i = 0; i < code.length; i++) if (/^(const|let|function|class)$/.test(text(i))) own.add(text(i + 1))
  for (let i = 0; i < code.length; i++) {
    const token = code[i] as Token
    if (token.kind !== 'word' || own.has(token.text)) continue
    // A property of something else (`clock.performance`), unless that something is the global object.
    if (text(i - 1) === '.' && text(i - 2) !== 'globalThis') continue
    const optional = text(i + 1) === '?' && text(i + 2) === '.'
    const member = text(i + 1) === '.' ? text(i + 2) : optional ? text(i + 3) : ''
    const ban = Object.hasOwn(MEMBERS, token.text) ? MEMBERS[token.text] : undefined
    if (ban !== undefined && Object.hasOwn(ban, member))
      found.push({ line: token.line, what: `uses ${token.text}.${member}`, instead: ban[member] as string })
    else if (token.text === 'Date' && text(i - 1) === 'new' && (text(i + 1) !== '(' || text(i + 2) === ')'))
      found.push({ line: token.line, what: 'uses new Date() for the present time', instead: CLOCK })
    else if (Object.hasOwn(CALLS, token.text) && isCall(i))
      found.push({ line: token.line, what: `uses ${token.text}`, instead: CALLS[token.text] as string })
    else if (Object.hasOwn(CONSTRUCTIONS, token.text) && text(i - 1) === 'new')
      found.push({ line: token.line, what: `uses new ${token.text}`, instead: CONSTRUCTIONS[token.text] as string })
  }
  return found

  // A call, or the function handed on as a value; not a declaration, a method or a property of that name.
  function isCall(index: number): boolean {
    const before = text(index - 1)
    const after = text(index + 1)
    if (before === 'function' || after === ':' || after === '?') return false
    if (after !== '(') return before === '(' || before === ',' || before === '='
    // `fetch(request) {` and `fetch(request): Answer` declare a method of that name.
    let depth = 0
    for (let i = index + 1; i < code.length; i++) {
      if (text(i) === '(') depth++
      else if (text(i) === ')' && --depth === 0) {
        const following = text(i + 1)
        return !(following === '{' || (following === ':' && before !== '?' && before !== ':'))
      }
    }
    return true
  }
}
