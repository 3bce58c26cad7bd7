// Earlier versions of contracts that have changed, the oldest first. The current one, in its own file, is the last of a
// topic's versions; a step that breaks old records must be named here.
import type { Contract, Fields } from '../query/contract.ts'
import { groundTruth } from './contracts/ground-truth.ts'
import { transactions } from './contracts/transactions.ts'
import { userEvents } from './contracts/user-events.ts'

function without(fields: Fields, names: readonly string[]): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !names.includes(name)))
}

/** Before payments said who made them and what became of them. */
const transactions1: Contract = {
  ...transactions,
  version: 1,
  fields: without(transactions.fields, [
    'session_id',
    'ip_address',
    'device_id',
    'card_fingerprint',
    'status',
    'billing_country',
    'shipping_country',
    'ip_country',
    'seller',
  ]),
}
/** Before there were logins and devices. */
const userEvents1: Contract = {
  ...userEvents,
  version: 1,
  fields: {
    ...without(userEvents.fields, ['device_id']),
    event_type: {
      ...userEvents.fields.event_type,
      rules: [{ rule: 'one-of', values: ['product_view', 'add_to_cart', 'search'] }],
    },
  },
}
/** Before there was anything but faults. */
const groundTruth1: Contract = {
  ...groundTruth,
  version: 1,
  fields: {
    ...groundTruth.fields,
    kind: { ...groundTruth.fields.kind, rules: [{ rule: 'one-of', values: ['fault'] }] },
  },
}

export const earlierVersions: ReadonlyMap<string, readonly Contract[]> = new Map(
  [transactions1, userEvents1, groundTruth1].map((contract) => [contract.topic, [contract]]),
)
/** `topic version`: steps to this version that old records do not survive. There are none so far. */
export const breakingVersions: readonly string[] = []
