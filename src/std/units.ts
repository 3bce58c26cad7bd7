// Numbers that must not be mixed, each branded and made by the one function that checks it.
// In hot typed arrays they travel as plain numbers; at doors they carry their brand.
import { assert } from './assert.ts'

declare const unit: unique symbol
type Unit<Name extends string> = number & { readonly [unit]: Name }

/** Position of a record in its partition, from 0. */
export type Offset = Unit<'offset'>
/** Index of a partition in its topic, from 0. */
export type PartitionId = Unit<'partition'>
/** Log sequence number: dense position of an entry in the journal, from 1. 0 = before everything. */
export type Lsn = Unit<'lsn'>
/** When it happened, milliseconds since 1970-01-01T00:00Z, by the record's own field. */
export type EventTimeMs = Unit<'event-time-ms'>
/** Money as an integer at its contract's scale (cents for scale 2, thousandths for scale 3). */
export type MoneyMinor = Unit<'money-minor'>

export function offset(value: number): Offset {
  assert(Number.isSafeInteger(value) && value >= 0, `not an offset: ${value}`)
  return value as Offset
}
export function partitionId(value: number): PartitionId {
  assert(Number.isInteger(value) && value >= 0 && value < 0x7fffffff, `not a partition: ${value}`)
  return value as PartitionId
}
export function lsn(value: number): Lsn {
  assert(Number.isSafeInteger(value) && value >= 0, `not an LSN: ${value}`)
  return value as Lsn
}
export function eventTimeMs(value: number): EventTimeMs {
  assert(Number.isSafeInteger(value), `not an event time: ${value}`)
  return value as EventTimeMs
}
export function moneyMinor(value: number): MoneyMinor {
  assert(Number.isSafeInteger(value), `not an amount in minor units: ${value}`)
  return value as MoneyMinor
}
