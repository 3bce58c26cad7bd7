// Decides who may do what: super users everything, everyone else what a rule allows and no rule denies. Rules are
// settings of the broker; they hold from the moment they are durable.
//
// As in Kafka the rights to read, write, delete and alter bring that to describe with them, and altering configs that to
// describe them. Denying works the other way: who is denied to describe may still read where that is allowed.
import type { AccessOperation, AccessResource, Principal } from '../server/serving.ts'
import type { Setting, SettingsStore } from '../settings-table.ts'
import type { RulePermission } from './access-codes.ts'
import { type AccessRule, appliesTo, everyone, ruleName, wildcard } from './access-rules.ts'

/** Who asks, and from where. */
export interface Asker {
  readonly principal: Principal
  /** An address as text. */
  readonly host: string
}

/** Rules at most: a request that would make more is refused. */
export const accessRulesMax = 10_000

const impliedBy: { readonly [Operation in AccessOperation]?: readonly AccessOperation[] } = {
  describe: ['read', 'write', 'delete', 'alter'],
  'describe-configs': ['alter-configs'],
}

/** The rules about one kind of resource, by the names they give. */
interface KindOfRules {
  readonly literal: Map<string, Map<string, AccessRule>>
  readonly prefixed: Map<string, Map<string, AccessRule>>
  /** How many of `prefixed` are so long: only these beginnings of a name are looked up, for the name may be anything. */
  readonly prefixLengths: Map<number, number>
}

export class AccessControl {
  readonly #settings: SettingsStore
  readonly #superUsers: ReadonlySet<string>
  readonly #rules = new Map<string, AccessRule>()
  readonly #kinds = new Map<AccessResource, KindOfRules>()

  /** `superUsers` as principals, `User:name`. */
  constructor(settings: SettingsStore, superUsers: readonly string[]) {
    this.#settings = settings
    this.#superUsers = new Set(superUsers)
    for (const setting of settings.all()) this.#heed(setting)
    settings.onChange((setting) => this.#heed(setting))
  }
  #heed(setting: Setting): void {
    if (setting.what !== 'access-rule') return
    const before = this.#rules.get(setting.about)
    if (before !== undefined) this.#remove(before)
    if (setting.value !== null) this.#add(setting.value)
  }
  #add(rule: AccessRule): void {
    this.#rules.set(ruleName(rule), rule)
    let kind = this.#kinds.get(rule.resource)
    if (kind === undefined) {
      kind = { literal: new Map(), prefixed: new Map(), prefixLengths: new Map() }
      this.#kinds.set(rule.resource, kind)
    }
    let named = kind[rule.pattern].get(rule.name)
    if (named === undefined) {
      named = new Map()
      kind[rule.pattern].set(rule.name, named)
      if (rule.pattern === 'prefixed') countLength(kind, rule.name, 1)
    }
    named.set(ruleName(rule), rule)
  }
  #remove(rule: AccessRule): void {
    this.#rules.delete(ruleName(rule))
    const kind = this.#kinds.get(rule.resource)
    const named = kind?.[rule.pattern].get(rule.name)
    if (kind === undefined || named === undefined) return
    named.delete(ruleName(rule))
    if (named.size > 0) return
    kind[rule.pattern].delete(rule.name)
    if (rule.pattern === 'prefixed') countLength(kind, rule.name, -1)
  }

  /**
   * On where there is somebody to make rules, or there are rules: a start that forgets to name the super users does not
   * open what was closed.
   */
  get isOn(): boolean {
    return this.#superUsers.size > 0 || this.#rules.size > 0
  }
  /** A denial may be among what the disk has lost: until that is repaired, only super users may do anything. */
  get #isInDoubt(): boolean {
    return (this.#settings.damage ?? null) !== null
  }
  get size(): number {
    return this.#rules.size
  }
  rules(): readonly AccessRule[] {
    return [...this.#rules.values()]
  }
  has(rule: AccessRule): boolean {
    return this.#rules.has(ruleName(rule))
  }

  may(asker: Asker, operation: AccessOperation, resource: AccessResource, name: string): boolean {
    if (!this.isOn || this.#superUsers.has(asker.principal.name)) return true
    if (this.#isInDoubt) return false
    let allowed = false
    for (const rule of this.#about(resource, name)) {
      if (rule.permission === 'allow' && allowed) continue
      if (!isAbout(rule, asker) || !speaksOf(rule, operation)) continue
      if (rule.permission === 'deny') return false
      allowed = true
    }
    return allowed
  }

  /** Is there a name with which the asker may? */
  mayAny(asker: Asker, operation: AccessOperation, resource: AccessResource): boolean {
    if (!this.isOn || this.#superUsers.has(asker.principal.name)) return true
    if (this.#isInDoubt) return false
    const denied = this.#speaking(asker, operation, resource, 'deny')
    return this.#speaking(asker, operation, resource, 'allow').some(
      (allow) => !denied.some((deny) => coversAll(deny, allow)),
    )
  }
  #speaking(
    asker: Asker,
    operation: AccessOperation,
    resource: AccessResource,
    permission: RulePermission,
  ): AccessRule[] {
    const found: AccessRule[] = []
    for (const rule of this.#rules.values()) {
      if (rule.resource !== resource || rule.permission !== permission) continue
      if (isAbout(rule, asker) && speaksOf(rule, operation)) found.push(rule)
    }
    return found
  }

  *#about(resource: AccessResource, name: string): Iterable<AccessRule> {
    const kind = this.#kinds.get(resource)
    if (kind === undefined) return
    yield* kind.literal.get(name)?.values() ?? []
    if (name !== wildcard) yield* kind.literal.get(wildcard)?.values() ?? []
    for (const length of kind.prefixLengths.keys()) {
      if (length <= name.length) yield* kind.prefixed.get(name.slice(0, length))?.values() ?? []
    }
  }
}

function countLength({ prefixLengths }: KindOfRules, { length }: string, more: number): void {
  const count = (prefixLengths.get(length) ?? 0) + more
  if (count === 0) prefixLengths.delete(length)
  else prefixLengths.set(length, count)
}
const isAbout = ({ principal, host }: AccessRule, asker: Asker): boolean =>
  (principal === everyone || principal === asker.principal.name) && (host === wildcard || host === asker.host)
const speaksOf = (rule: AccessRule, operation: AccessOperation): boolean =>
  rule.operation === 'all' ||
  rule.operation === operation ||
  (rule.permission === 'allow' && (impliedBy[operation]?.some((other) => other === rule.operation) ?? false))

/** Does it forbid every name that the other rule allows? */
function coversAll(deny: AccessRule, allow: AccessRule): boolean {
  if (deny.pattern === 'literal' && deny.name === wildcard) return true
  if (allow.pattern === 'literal') return allow.name !== wildcard && appliesTo(deny, allow.name)
  return deny.pattern === 'prefixed' && allow.name.startsWith(deny.name)
}
