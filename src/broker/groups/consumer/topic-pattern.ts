// Which topics a pattern names. Patterns come from strangers, so they are run as a set of places in a small machine, all
// at once (Thompson's construction): a name takes at most its length times the machine's size in steps, whatever the
// pattern. A pattern must fit the whole name.
import { unreachable } from '../../../std/assert.ts'
import { type Chars, isWordChar } from './pattern-chars.ts'
import { PatternError, type PatternNode, parsePattern } from './pattern-parser.ts'

type Step =
  | { readonly op: 'chars'; readonly chars: Chars; readonly next: number }
  | { readonly op: 'at'; readonly place: (PatternNode & { readonly kind: 'at' })['place']; readonly next: number }
  | { readonly op: 'either'; next: number; other: number }
  | { readonly op: 'done' }

/** Of a machine. */
export const stepsMax = 1_000
/** While it is made: repetitions of nothing make no steps. */
const placedMax = 20_000

export interface TopicPattern {
  readonly source: string
  /** What it takes in memory, about. */
  readonly bytes: number
  fits(name: string): boolean
}
/** The pattern; or why it cannot be one. */
export function topicPattern(source: string): TopicPattern | string {
  try {
    const machine = new Machine(parsePattern(source))
    return { source, bytes: 2 * source.length + 200 * machine.size, fits: (name) => machine.fits(name) }
  } catch (error) {
    if (!(error instanceof PatternError)) throw error
    return error.message
  }
}

class Machine {
  readonly #steps: Step[] = []
  readonly #start: number
  #placed = 0

  constructor(node: PatternNode) {
    this.#start = this.#place(node, this.#add({ op: 'done' }))
  }
  get size(): number {
    return this.#steps.length
  }
  #add(step: Step): number {
    if (this.#steps.length >= stepsMax) throw new PatternError(`a pattern of more than ${stepsMax} steps`)
    return this.#steps.push(step) - 1
  }
  /** Adds the steps of a node that goes on at `next`; returns where it begins. */
  #place(node: PatternNode, next: number): number {
    if (++this.#placed > placedMax) throw new PatternError(`a pattern of more than ${placedMax} repeated parts`)
    switch (node.kind) {
      case 'chars':
        return this.#add({ op: 'chars', chars: node.chars, next })
      case 'at':
        return this.#add({ op: 'at', place: node.place, next })
      case 'all':
        return node.parts.reduceRight((after, part) => this.#place(part, after), next)
      case 'any': {
        const [first, ...others] = node.parts.map((part) => this.#place(part, next))
        return others.reduce((one, other) => this.#add({ op: 'either', next: one, other }), first ?? next)
      }
      case 'repeat': {
        const { part, min, max } = node
        let start = next
        if (max === Infinity) {
          const loop: Step & { readonly op: 'either' } = { op: 'either', next, other: next }
          start = this.#add(loop)
          loop.next = this.#place(part, start)
        } else {
          for (let i = min; i < max; i++) {
            start = this.#add({ op: 'either', next: this.#place(part, start), other: next })
          }
        }
        for (let i = 0; i < min; i++) start = this.#place(part, start)
        return start
      }
      default:
        return unreachable(node)
    }
  }

  fits(name: string): boolean {
    let places = this.#reach([this.#start], name, 0)
    for (let at = 0; at < name.length && places.length > 0; at++) {
      const code = name.charCodeAt(at)
      const onward: number[] = []
      for (const place of places) {
        const step = this.#steps[place]!
        if (step.op === 'chars' && step.chars.has(code)) onward.push(step.next)
      }
      places = this.#reach(onward, name, at + 1)
    }
    return places.some((place) => this.#steps[place]!.op === 'done')
  }
  /** All places that can be reached from these without a character; each once. */
  #reach(from: readonly number[], name: string, at: number): number[] {
    const seen = new Uint8Array(this.#steps.length)
    const todo = [...from]
    const reached: number[] = []
    for (let place = todo.pop(); place !== undefined; place = todo.pop()) {
      if (seen[place] === 1) continue
      seen[place] = 1
      const step = this.#steps[place]!
      switch (step.op) {
        case 'chars':
        case 'done':
          reached.push(place)
          break
        case 'either':
          todo.push(step.next, step.other)
          break
        case 'at':
          if (isAt(step.place, name, at)) todo.push(step.next)
          break
        default:
          unreachable(step)
      }
    }
    return reached
  }
}
function isAt(place: (PatternNode & { readonly kind: 'at' })['place'], name: string, at: number): boolean {
  switch (place) {
    case 'start':
      return at === 0
    case 'end':
      return at === name.length
    case 'word edge':
    case 'no word edge': {
      const before = at === 0 ? undefined : name.charCodeAt(at - 1)
      const after = at === name.length ? undefined : name.charCodeAt(at)
      return (isWordChar(before) !== isWordChar(after)) === (place === 'word edge')
    }
    default:
      return unreachable(place)
  }
}
