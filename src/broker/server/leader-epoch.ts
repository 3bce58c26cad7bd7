// Does a client know who leads? It sends the leader epoch it has seen; an older one is fenced, a later one unknown (KIP-320).
import { kafkaErrors } from '../../wire/wire.ts'
import type { BrokerCore } from '../core.ts'

/** `asked` below 0: the client does not say. */
export function leaderEpochProblem({ leaderEpoch }: BrokerCore, asked: number): number {
  if (asked < 0 || asked === leaderEpoch) return kafkaErrors.NONE
  return asked < leaderEpoch ? kafkaErrors.FENCED_LEADER_EPOCH : kafkaErrors.UNKNOWN_LEADER_EPOCH
}
