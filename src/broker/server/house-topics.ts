// Topics of the house itself: clients may read them, and not make, write, change or remove them. Kafka says
// INVALID_TOPIC_EXCEPTION to who writes to one or deletes its records, TOPIC_AUTHORIZATION_FAILED to who would make one.
import { kafkaErrors } from '../../wire/wire.ts'
import type { BrokerCore } from '../core.ts'
import { isReservedName } from '../topic-name.ts'

export function isOfTheHouse(core: BrokerCore, name: string): boolean {
  return core.topic(name)?.internal ?? isReservedName(name)
}
export const cannotWrite = (name: string) => ({
  errorCode: kafkaErrors.INVALID_TOPIC_EXCEPTION,
  errorMessage: `${name} is a topic of the house: it can be read, and not written or changed`,
})
export const cannotMake = (name: string) => ({
  errorCode: kafkaErrors.TOPIC_AUTHORIZATION_FAILED,
  errorMessage: `${name} is a name of the house: choose another`,
})
