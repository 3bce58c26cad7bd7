// The business rules for delays: the bands of severity, what counts as delayed, what as a high delay. From a file, or these.

/** Half-open bands in hours, from the first on: [0, 1) immediate, [1, 6) short, … */
export interface DelayRules {
  readonly bands: readonly { readonly name: string; readonly fromHours: number }[]
  /** From this band on a sale counts as delayed. */
  readonly delayedFrom: string
  /** Above so many hours it is a high delay. */
  readonly highHours: number
  readonly statisticsMs: number
}
export const delayRules: DelayRules = Object.freeze({
  bands: Object.freeze([
    { name: 'immediate', fromHours: 0 },
    { name: 'short', fromHours: 1 },
    { name: 'medium', fromHours: 6 },
    { name: 'long', fromHours: 24 },
    { name: 'critical', fromHours: 48 },
  ]),
  delayedFrom: 'short',
  highHours: 6,
  statisticsMs: 30_000,
})

const bandsMax = 20

/** Rules that contradict themselves. */
export class DelayRulesError extends Error {
  override name = 'DelayRulesError'
  readonly cure: string
  constructor(what: string, cure: string) {
    super(`delay rules: ${what}`)
    this.cure = cure
  }
}

/** From JSON; what is not said is as above. Throws a DelayRulesError. */
export function parseDelayRules(json: string): DelayRules {
  let said: unknown
  try {
    said = JSON.parse(json)
  } catch (error) {
    throw new DelayRulesError(`no JSON: ${String(error)}`, 'Write one JSON object')
  }
  if (typeof said !== 'object' || said === null || Array.isArray(said))
    throw new DelayRulesError('no JSON object', 'Write one, like {"highHours": 12}')
  const given = new Map(Object.entries(said))
  for (const name of given.keys())
    if (!(name in delayRules))
      throw new DelayRulesError(`there is no rule '${name}'`, `The rules are ${Object.keys(delayRules).join(', ')}`)
  const bands = given.has('bands') ? bandsOf(given.get('bands')) : delayRules.bands
  const delayedFrom = given.get('delayedFrom') ?? (given.has('bands') ? bands[1]?.name : delayRules.delayedFrom)
  if (!bands.some(({ name }) => name === delayedFrom))
    throw new DelayRulesError(`delayedFrom is no band: ${String(delayedFrom)}`, 'Name one of the bands')
  const number = (name: 'highHours' | 'statisticsMs', least: number): number => {
    const value: unknown = given.get(name) ?? delayRules[name]
    if (typeof value === 'number' && Number.isFinite(value) && value >= least) return value
    throw new DelayRulesError(`${name} is ${String(value)}`, `It is a number, ${least} at least`)
  }
  return {
    bands,
    delayedFrom: String(delayedFrom),
    highHours: number('highHours', 0),
    statisticsMs: number('statisticsMs', 1_000),
  }
}

function bandsOf(said: unknown): DelayRules['bands'] {
  const cure = 'Give them as [{"name": "immediate", "fromHours": 0}, …], each from more hours than the one before'
  if (!Array.isArray(said) || said.length === 0 || said.length > bandsMax)
    throw new DelayRulesError(`bands are a list of 1 to ${bandsMax}`, cure)
  const bands = said.map((one: unknown) => {
    const { name, fromHours } = Object(one) as { readonly name?: unknown; readonly fromHours?: unknown }
    if (typeof name !== 'string' || name === '' || typeof fromHours !== 'number')
      throw new DelayRulesError(`a band is ${JSON.stringify(one)}`, cure)
    return { name, fromHours }
  })
  if (bands[0]?.fromHours !== 0) throw new DelayRulesError('the first band does not begin at 0 hours', cure)
  for (const [i, band] of bands.entries()) {
    const before = bands[i - 1]
    if (before !== undefined && !(band.fromHours > before.fromHours))
      throw new DelayRulesError(`band '${band.name}' begins at ${band.fromHours} hours, not after the one before`, cure)
    if (bands.findIndex(({ name }) => name === band.name) !== i)
      throw new DelayRulesError(`two bands are called '${band.name}'`, cure)
  }
  return bands
}

/** A number that changes with the rules: state counted by other bands is not read. 1: the rules above. */
export function versionOfDelayRules(rules: DelayRules): number {
  const text = JSON.stringify(rules)
  if (text === JSON.stringify(delayRules)) return 1
  // FNV-1a, 32 bits.
  let hash = 0x811c9dc5
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193)
  return 2 + (hash >>> 1)
}
