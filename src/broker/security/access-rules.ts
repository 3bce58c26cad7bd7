// Access rules (Kafka's ACLs, KIP-11 and KIP-290): who may, or may not, do what with which resource from where; as
// settings, and filters over them.
import { LogError } from '../../log/log.ts'
import { assert } from '../../std/assert.ts'
import type { AccessResource } from '../server/serving.ts'
import {
  clusterName,
  operationCodes,
  patternCodes,
  permissionCodes,
  type RuleOperation,
  type RulePattern,
  type RulePermission,
  resourceCodes,
} from './access-codes.ts'

export interface AccessRule {
  readonly resource: AccessResource
  readonly pattern: RulePattern
  /** A literal `*` is every name. */
  readonly name: string
  /** `User:alice`; `User:*` is everyone. */
  readonly principal: string
  /** An address as text; `*` is every one. */
  readonly host: string
  readonly operation: RuleOperation
  readonly permission: RulePermission
}
export interface AccessRuleSetting {
  readonly what: 'access-rule'
  /** `ruleName` of the rule. */
  readonly about: string
  /** Null: the rule is gone. */
  readonly value: AccessRule | null
}

export const everyone = 'User:*'
export const wildcard = '*'
/** Characters of a name, a principal or a host in a rule. */
export const ruleTextMax = 1_000

/** The same text for the same rule. */
export const ruleName = ({ resource, pattern, name, principal, host, operation, permission }: AccessRule): string =>
  JSON.stringify([resource, pattern, name, principal, host, operation, permission])
export const ruleSetting = (rule: AccessRule): AccessRuleSetting => ({
  what: 'access-rule',
  about: ruleName(rule),
  value: rule,
})
export const noRuleSetting = (rule: AccessRule): AccessRuleSetting => ({ ...ruleSetting(rule), value: null })

/** From a journal entry: our own bytes, checked all the same. */
export function readAccessRuleSetting(
  about: string,
  value: Readonly<Record<string, unknown>> | null,
): AccessRuleSetting {
  if (value === null) return { what: 'access-rule', about, value }
  const { resource, pattern, name, principal, host, operation, permission } = value
  assert(isKeyOf(resourceCodes, resource), `a rule about the resource ${String(resource)}`)
  assert(isKeyOf(patternCodes, pattern), `a rule with the pattern ${String(pattern)}`)
  assert(isKeyOf(operationCodes, operation), `a rule about the operation ${String(operation)}`)
  assert(isKeyOf(permissionCodes, permission), `a rule with the permission ${String(permission)}`)
  assert(
    typeof name === 'string' && typeof principal === 'string' && typeof host === 'string',
    'names in a rule are text',
  )
  return { what: 'access-rule', about, value: { resource, pattern, name, principal, host, operation, permission } }
}
const isKeyOf = <Key extends string>(codes: Readonly<Record<Key, number>>, word: unknown): word is Key =>
  typeof word === 'string' && Object.hasOwn(codes, word)

/** Throws a LogError INVALID_CONFIG for a rule that nobody could mean. */
export function checkRule({ resource, pattern, name, principal, host }: AccessRule): void {
  const wrong = (message: string): LogError => new LogError('INVALID_CONFIG', message)
  if (name === '') throw wrong('a rule names a resource, or * for all of them')
  if (resource === 'cluster' && (name !== clusterName || pattern !== 'literal')) {
    throw wrong(`the only resource of the kind cluster is ${clusterName}, as a literal name`)
  }
  if (!/^[A-Za-z]+:./s.test(principal)) throw wrong('a principal is written as User:name')
  if (host === '') throw wrong('a rule has a host, or * for all of them')
  for (const text of [name, principal, host]) {
    if (text.length > ruleTextMax)
      throw wrong(`a text of ${text.length} characters in a rule; the limit is ${ruleTextMax}`)
  }
}

/** What a request asks for; null: whatever it is. */
export interface RuleFilter {
  readonly resource: AccessResource | null
  readonly name: string | null
  /** `match`: the rules that apply to the name, by whatever pattern. */
  readonly pattern: RulePattern | 'match' | null
  readonly principal: string | null
  readonly host: string | null
  readonly operation: RuleOperation | null
  readonly permission: RulePermission | null
}
export function passes(rule: AccessRule, filter: RuleFilter): boolean {
  const { resource, principal, host, operation, permission } = filter
  return (
    (resource === null || rule.resource === resource) &&
    (principal === null || rule.principal === principal) &&
    (host === null || rule.host === host) &&
    (operation === null || rule.operation === operation) &&
    (permission === null || rule.permission === permission) &&
    passesName(rule, filter)
  )
}
function passesName(rule: AccessRule, { name, pattern }: RuleFilter): boolean {
  if (pattern !== null && pattern !== 'match' && rule.pattern !== pattern) return false
  if (name === null) return true
  return pattern === 'match' ? appliesTo(rule, name) : rule.name === name
}
export const appliesTo = (rule: AccessRule, name: string): boolean =>
  rule.pattern === 'prefixed' ? name.startsWith(rule.name) : rule.name === name || rule.name === wildcard
