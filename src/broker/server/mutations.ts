// The quota on changes of partitions (KIP-599): topics made, grown and deleted, counted in partitions.
import { kafkaErrors } from '../../wire/wire.ts'
import { type Asking, clientOf } from './serving.ts'

export const tooManyChanges = {
  errorCode: kafkaErrors.THROTTLING_QUOTA_EXCEEDED,
  errorMessage: 'the quota controller_mutation_rate is used up: try again after the time that the answer names',
} as const

/**
 * May so many partitions be changed now? If not, the answer tells the client when. Versions that do not know the error
 * are never refused: their client waits afterwards, as with other quotas.
 */
export function mayChange(
  { serving, principal, clientId, version, turn }: Asking,
  partitions: number,
  refusedFrom: number,
): boolean {
  const client = clientOf(principal, clientId)
  const owedMs = serving.quotas.owedMs(client, 'controller_mutation_rate')
  if (owedMs > 0 && version >= refusedFrom) {
    turn.throttle(owedMs)
    return false
  }
  turn.throttle(serving.quotas.charge(client, 'controller_mutation_rate', partitions))
  return true
}
