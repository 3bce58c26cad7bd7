// What the compiler cannot see of a query's settings: numbers of milliseconds, bytes and rows.
import { PlanError } from './plan.ts'

/** A time zone of the IANA database. */
export function checkZone(of: string, zone: string): void {
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: zone })
  } catch {
    throw new PlanError(of, 'zone', `unknown time zone '${zone}'`, "Use an IANA name such as 'America/Sao_Paulo'")
  }
}
export function checkPositive(of: string, setting: string, value: number, unit = 'milliseconds'): void {
  if (!(Number.isSafeInteger(value) && value > 0))
    throw new PlanError(of, setting, `${value} is not a positive number of ${unit}`, `Use whole ${unit}, 1 or more`)
}
/** `sizeMs` is cut into whole parts of another setting. */
export function checkMultiple(window: string, sizeMs: number, part: string, partMs: number): void {
  checkPositive(window, 'sizeMs', sizeMs)
  checkPositive(window, part, partMs)
  if (sizeMs % partMs !== 0)
    throw new PlanError(
      window,
      'sizeMs',
      `${sizeMs} is not a multiple of ${part} ${partMs}`,
      `Choose a ${part.replace('Ms', '')} that divides the size`,
    )
}
