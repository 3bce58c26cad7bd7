// ListTransactions 0-2 (key 66): the transactional ids that the asker may know of, by state, producer, age of the open
// transaction (1+) or a pattern of the id (2, in RE2's syntax, run without backtracking).
import { kafkaErrors, type RequestOf, type ResponseTo } from '../../../wire/wire.ts'
import { topicPattern } from '../../groups/consumer/topic-pattern.ts'
import { shownState, transactionStates } from '../../transactions/transaction.ts'
import type { Asking } from '../serving.ts'

export function listTransactions(
  { stateFilters, producerIdFilters, durationFilter, transactionalIdPattern }: RequestOf<'listTransactions'>,
  { serving: { core, world }, may }: Asking,
): ResponseTo<'listTransactions'> {
  const pattern =
    transactionalIdPattern === null || transactionalIdPattern === '' ? null : topicPattern(transactionalIdPattern)
  if (typeof pattern === 'string') {
    return { errorCode: kafkaErrors.INVALID_REGULAR_EXPRESSION, unknownStateFilters: [], transactionStates: [] }
  }
  const states = new Set(stateFilters)
  const producers = new Set(producerIdFilters)
  const nowMs = world.clock.nowMs()
  const found: ResponseTo<'listTransactions'>['transactionStates'][number][] = []
  for (const transaction of core.transactions.table.all()) {
    const { id, identity, startedMs } = transaction
    if (identity.producerId < 0 || !may('describe', 'transactional-id', id)) continue
    const transactionState = shownState(transaction)
    const producerId = BigInt(identity.producerId)
    if (states.size > 0 && !states.has(transactionState)) continue
    if (producers.size > 0 && !producers.has(producerId)) continue
    if (durationFilter >= 0 && (startedMs < 0 || nowMs - startedMs <= durationFilter)) continue
    if (pattern !== null && !pattern.fits(id)) continue
    found.push({ transactionalId: id, producerId, transactionState })
  }
  return {
    errorCode: kafkaErrors.NONE,
    unknownStateFilters: stateFilters.filter((state) => !transactionStates.has(state)),
    transactionStates: found,
  }
}
