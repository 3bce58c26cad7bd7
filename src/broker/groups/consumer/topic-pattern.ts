// Which topics a pattern names. Patterns come from strangers, so they are run as a set of places in a small machine, all
// at once (Thompson's construction): a name takes at most its length times the machine's size in steps, whatever the
// pattern. A pattern must fit the whole name.
import { unreachable } from '../../../std/assert.ts'
import { type Chars, isWordChar } from './pattern-chars.ts'
import { PatternError, type PatternNode, parsePattern } from './pattern-parser.ts'

type Place = (PatternNode & { readonly kind: 'at' })['place']
const placesToBe: readonly Place[] = ['start', 'end', 'word edge', 'no word edge']
/**
 * A step is three numbers: what it does, where it goes on, and where else. What it does: done, either way, or to be at one of the
 * `placesToBe`; from `firstChars` on: one of a set of characters.
 */
const numbersPerStep = 3
const done = 0
const either = 1
const firstAt = 2
const firstChars = 16

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
    return { source, bytes: 2 * source.length + machine.bytes, fits: (name) => machine.fits(name) }
  } catch (error) {
    if (!(error instanceof PatternError)) throw error
    return error.message
  }
}

class Machine {
  #steps = new Int16Array(64 * numbersPerStep)
  #size = 0
  readonly #chars: Chars[] = []
  readonly #start: number
  #placed = 0

  constructor(node: PatternNode) {
    this.#start = this.#place(node, this.#add(done, 0))
    this.#steps = this.#steps.slice(0, this.#size * numbersPerStep)
  }
  get bytes(): number {
    return 500 + this.#steps.byteLength + 100 * this.#chars.length
  }
  #add(what: number, next: number, other = next): number {
    const step = this.#size
    if (step >= stepsMax) throw new PatternError(`a pattern of more than ${stepsMax} steps`)
    this.#size++
    const at = step * numbersPerStep
    if (at === this.#steps.length) {
      const grown = new Int16Array(2 * at)
      grown.set(this.#steps)
      this.#steps = grown
    }
    this.#steps[at] = what
    this.#steps[at + 1] = next
    this.#steps[at + 2] = other
    return step
  }
  #addChars(chars: Chars, next: number): number {
    // A part that is repeated names the same set again and again.
    let known = this.#chars.lastIndexOf(chars)
    if (known < 0) known = this.#chars.push(chars) - 1
    return this.#add(firstChars + known, next)
  }
  /** Adds the steps of a node that goes on at `next`; returns where it begins. */
  #place(node: PatternNode, next: number): number {
    if (++this.#placed > placedMax) throw new PatternError(`a pattern of more than ${placedMax} repeated parts`)
    switch (node.kind) {
      case 'chars':
        return this.#addChars(node.chars, next)
      case 'at':
        return this.#add(firstAt + placesToBe.indexOf(node.place), next)
      case 'all':
        return node.parts.reduceRight((after, part) => this.#place(part, after), next)
      case 'any': {
        const [first, ...others] = node.parts.map((part) => this.#place(part, next))
        return others.reduce((one, other) => this.#add(either, one, other), first ?? next)
      }
      case 'repeat': {
        const { part, min, max } = node
        let start = next
        if (max === Infinity) {
          start = this.#add(either, next)
          const again = this.#place(part, start)
          this.#steps[start * numbersPerStep + 1] = again
        } else {
          for (let i = min; i < max; i++) {
            start = this.#add(either, this.#place(part, start), next)
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
        const chars = this.#chars[this.#steps[place * numbersPerStep]! - firstChars]
        if (chars?.has(code) === true) onward.push(this.#steps[place * numbersPerStep + 1]!)
      }
      places = this.#reach(onward, name, at + 1)
    }
    return places.some((place) => this.#steps[place * numbersPerStep] === done)
  }
  /** All places that can be reached from these without a character; each once. */
  #reach(from: readonly number[], name: string, at: number): number[] {
    const seen = new Uint8Array(this.#size)
    const todo = [...from]
    const reached: number[] = []
    for (let place = todo.pop(); place !== undefined; place = todo.pop()) {
      if (seen[place] === 1) continue
      seen[place] = 1
      const step = place * numbersPerStep
      const [what, next, other] = [this.#steps[step]!, this.#steps[step + 1]!, this.#steps[step + 2]!]
      if (what === done || what >= firstChars) reached.push(place)
      else if (what === either) todo.push(next, other)
      else if (isAt(placesToBe[what - firstAt]!, name, at)) todo.push(next)
    }
    return reached
  }
}
function isAt(place: Place, name: string, at: number): boolean {
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
