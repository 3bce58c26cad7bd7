// What brokers of a Kafka cluster say no with, and what of it passes by itself.
import { LogError, type LogErrorCode } from '../../log/log.ts'
import { type KafkaError, kafkaErrors } from '../../wire/wire.ts'
import { WireError } from '../../wire/wire-error.ts'
import { NetError } from '../../world/world.ts'

export class KafkaRefusal extends Error {
  override name = 'KafkaRefusal'
  readonly code: KafkaError
  constructor(code: KafkaError, message: string) {
    super(`${message}: ${code}`)
    this.code = code
  }
}

const nameByNumber = new Map<number, KafkaError>()
for (const name of Object.keys(kafkaErrors) as KafkaError[]) nameByNumber.set(kafkaErrors[name], name)

export function kafkaErrorOf(errorCode: number): KafkaError {
  return nameByNumber.get(errorCode) ?? 'UNKNOWN_SERVER_ERROR'
}
/** Throws unless the number says that all went well. */
export function holdTo(errorCode: number, what: string, message: string | null = null): void {
  if (errorCode === 0) return
  throw new KafkaRefusal(kafkaErrorOf(errorCode), message === null || message === '' ? what : `${what} (${message})`)
}

/** Another look at who leads what, and the same again, may help. */
const passing: ReadonlySet<KafkaError> = new Set<KafkaError>([
  'LEADER_NOT_AVAILABLE',
  'NOT_LEADER_OR_FOLLOWER',
  'REPLICA_NOT_AVAILABLE',
  'BROKER_NOT_AVAILABLE',
  'REQUEST_TIMED_OUT',
  'NETWORK_EXCEPTION',
  'COORDINATOR_LOAD_IN_PROGRESS',
  'COORDINATOR_NOT_AVAILABLE',
  'NOT_COORDINATOR',
  'NOT_CONTROLLER',
  'NOT_ENOUGH_REPLICAS',
  'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
  'KAFKA_STORAGE_ERROR',
  'FENCED_LEADER_EPOCH',
  'UNKNOWN_LEADER_EPOCH',
  'OFFSET_NOT_AVAILABLE',
  'UNKNOWN_TOPIC_ID',
  'CONCURRENT_TRANSACTIONS',
  'THROTTLING_QUOTA_EXCEEDED',
])
export function isPassing(error: unknown): boolean {
  if (error instanceof NetError) return true
  return error instanceof KafkaRefusal && passing.has(error.code)
}
/** The producer's identity has been given to another, or taken away. */
export function isFenced(error: unknown): boolean {
  if (!(error instanceof KafkaRefusal)) return false
  return error.code === 'PRODUCER_FENCED' || error.code === 'INVALID_PRODUCER_EPOCH'
}

const logErrorCodes: Partial<Record<KafkaError, LogErrorCode>> = {
  UNKNOWN_TOPIC_OR_PARTITION: 'UNKNOWN_TOPIC_OR_PARTITION',
  UNKNOWN_TOPIC_ID: 'UNKNOWN_TOPIC_OR_PARTITION',
  TOPIC_ALREADY_EXISTS: 'TOPIC_ALREADY_EXISTS',
  INVALID_TOPIC_EXCEPTION: 'INVALID_TOPIC_EXCEPTION',
  INVALID_PARTITIONS: 'INVALID_PARTITIONS',
  INVALID_REPLICATION_FACTOR: 'INVALID_PARTITIONS',
  INVALID_CONFIG: 'INVALID_CONFIG',
  POLICY_VIOLATION: 'INVALID_CONFIG',
  OFFSET_OUT_OF_RANGE: 'OFFSET_OUT_OF_RANGE',
  CORRUPT_MESSAGE: 'CORRUPT_MESSAGE',
  INVALID_RECORD: 'INVALID_RECORD',
  INVALID_TIMESTAMP: 'INVALID_RECORD',
  MESSAGE_TOO_LARGE: 'MESSAGE_TOO_LARGE',
  RECORD_LIST_TOO_LARGE: 'MESSAGE_TOO_LARGE',
  OUT_OF_ORDER_SEQUENCE_NUMBER: 'OUT_OF_ORDER_SEQUENCE_NUMBER',
  INVALID_PRODUCER_EPOCH: 'INVALID_PRODUCER_EPOCH',
  INVALID_TXN_STATE: 'INVALID_TXN_STATE',
}
/** In the words of the `Log`; what cannot be said in them is trouble with the cluster. */
export function asLogError(error: unknown, isTransient: boolean): LogError {
  if (error instanceof LogError) return error
  if (error instanceof WireError) {
    const code = error.code === 'INVALID_REQUEST' ? 'CORRUPT_MESSAGE' : error.code
    return new LogError(code, error.message, { cause: error })
  }
  const message = error instanceof Error ? error.message : String(error)
  const code = error instanceof KafkaRefusal ? logErrorCodes[error.code] : undefined
  if (code !== undefined) return new LogError(code, message, { cause: error })
  return new LogError('KAFKA_STORAGE_ERROR', message, { cause: error, isTransient })
}
