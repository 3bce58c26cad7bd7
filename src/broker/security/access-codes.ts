// Kafka's numbers for resources, operations, permissions and patterns (KIP-140, KIP-290), and which operations a resource
// has. Zero is "unknown" and one is "any" in each of them.
import type { AccessOperation, AccessResource } from '../server/serving.ts'

/** The only name of the resource `cluster`. */
export const clusterName = 'kafka-cluster'

export const resourceCodes: Readonly<Record<AccessResource, number>> = {
  topic: 2,
  group: 3,
  cluster: 4,
  'transactional-id': 5,
  user: 7,
}
/** What a rule may be about: one operation, or all of them. */
export type RuleOperation = AccessOperation | 'all'
export const operationCodes: Readonly<Record<RuleOperation, number>> = {
  all: 2,
  read: 3,
  write: 4,
  create: 5,
  delete: 6,
  alter: 7,
  describe: 8,
  'cluster-action': 9,
  'describe-configs': 10,
  'alter-configs': 11,
  'idempotent-write': 12,
}
export type RulePermission = 'allow' | 'deny'
export const permissionCodes: Readonly<Record<RulePermission, number>> = { deny: 2, allow: 3 }
export type RulePattern = 'literal' | 'prefixed'
export const patternCodes: Readonly<Record<RulePattern, number>> = { literal: 3, prefixed: 4 }

/** Of filters: anything at all; any rule that would apply to the name. */
export const anyCode = 1
export const matchCode = 2

/** The word for a code, or null if there is none. */
export function wordOf<Word extends string>(codes: Readonly<Record<Word, number>>, code: number): Word | null {
  for (const word in codes) if (codes[word] === code) return word
  return null
}

/** What can be asked of each kind of resource: the bits of "authorized operations" (KIP-430). */
export const operationsOf: Readonly<Record<AccessResource, readonly AccessOperation[]>> = {
  topic: ['read', 'write', 'create', 'describe', 'delete', 'alter', 'describe-configs', 'alter-configs'],
  group: ['read', 'describe', 'delete', 'describe-configs', 'alter-configs'],
  cluster: ['create', 'cluster-action', 'describe-configs', 'alter-configs', 'idempotent-write', 'alter', 'describe'],
  'transactional-id': ['describe', 'write'],
  user: [],
}
