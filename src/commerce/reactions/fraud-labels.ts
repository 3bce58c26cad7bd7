// Labels come late: a payment that nobody has taken back within a week counts as good, one that was, as fraud. Until then its
// figures wait here, all of what looked suspicious and a sample of the rest, each with how many it stands for.
import { fnv1a } from '../../std/text-hash.ts'
import type { PaymentFacts } from './fraud-memory.ts'

/** A scored payment that waits for its label. Short names: there are many. */
export interface Waiting {
  readonly id: string
  readonly at: number
  /** How many payments it stands for. */
  w: number
  /** Figures, in thousandths. */
  readonly x: readonly number[]
  back: boolean
  /** Kept for itself, not as one of a sample. */
  readonly kept: boolean
  readonly of: Omit<PaymentFacts, 'atMs' | 'isApproved'>
}
export interface LabelQueue {
  waiting: Waiting[]
  /** One in so many of the unsuspicious is kept. */
  oneIn: number
}
export const labelDelayMs = 7 * 86_400_000
/** About 250 bytes each. */
export const waitingMax = 6_000

export function newLabelQueue(): LabelQueue {
  return { waiting: [], oneIn: 1 }
}
export function awaitLabel(
  queue: LabelQueue,
  payment: Omit<Waiting, 'w' | 'back' | 'x'> & { readonly figures: readonly number[] },
): void {
  const { figures, ...rest } = payment
  if (!rest.kept && fnv1a(rest.id) % queue.oneIn !== 0) return
  const x = figures.map((one) => Math.round(one * 1_000))
  queue.waiting.push({ ...rest, x, w: rest.kept ? 1 : queue.oneIn, back: false })
  if (queue.waiting.length > waitingMax) thin(queue)
}
/** Half of the sample goes, the rest stands for twice as many; if all were kept for themselves, the oldest go. */
function thin(queue: LabelQueue): void {
  queue.oneIn *= 2
  const rest = queue.waiting.filter(({ id, kept, back }) => kept || back || fnv1a(id) % queue.oneIn === 0)
  for (const one of rest) if (!one.kept && !one.back) one.w = queue.oneIn
  queue.waiting = rest.length > waitingMax * 0.9 ? rest.slice(-Math.floor(waitingMax / 2)) : rest
}
/** Marks a payment as taken back; null if it does not wait here. */
export function takenBack({ waiting }: LabelQueue, id: string): Waiting | null {
  const found = waiting.find((one) => one.id === id) ?? null
  if (found !== null) found.back = true
  return found
}
/** Those whose week is over at `nowMs`, oldest first: they leave. */
export function due(queue: LabelQueue, nowMs: number): readonly Waiting[] {
  let count = 0
  while (count < queue.waiting.length && queue.waiting[count]!.at + labelDelayMs <= nowMs) count++
  return queue.waiting.splice(0, count)
}
