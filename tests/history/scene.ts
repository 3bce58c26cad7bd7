// What the clients of one recorded run share.
import type { RandomStream } from '../../src/std/random.ts'
import type { Recorder } from './recorder.ts'

export interface Scene {
  readonly address: string
  readonly recorder: Recorder
  readonly random: RandomStream
  /** No new operation begins from then on. */
  isOver(): boolean
  /** Troubles that clients met, with how often: told when a run fails, as most of them are the kills' doing. */
  readonly troubles: Map<string, number>
}
export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** The answer, or a rejection after so long: a broker that was paused or killed owes answers. */
export function within<T>(msMax: number, what: string, answer: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer to ${what} in ${msMax} ms`)), msMax)
    answer.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}

export function noteTrouble({ troubles }: Scene, who: string, error: unknown): void {
  const causes = error instanceof AggregateError ? error.errors.map(String) : []
  const what = `${who}: ${[String(error), ...causes].join(' <- ').replaceAll(/\d{4,}/g, 'N')}`
  troubles.set(what, (troubles.get(what) ?? 0) + 1)
}
