// In which order a follower handed entries out, since the last commit: what that commit writes down.
import type { Run } from './job-records.ts'
import type { Positions } from './positions.ts'

/** Who follows for so long without a commit is no job: its order is let go, and a commit of it is refused. */
export const runsMax = 1_000_000

export class Route {
  #runs: { readonly id: string; readonly partition: number; readonly from: number; to: number }[] = []
  #isWhole = true

  went(id: string, partition: number, from: number, to: number): void {
    const last = this.#runs.at(-1)
    if (last !== undefined && last.id === id && last.partition === partition && last.to === from) last.to = to
    else if (this.#runs.length < runsMax) this.#runs.push({ id, partition, from, to })
    else {
      this.#runs = [{ id, partition, from, to }]
      this.#isWhole = false
    }
  }

  /** From the one place to the other; null if they are not both on this route. */
  between(from: Positions, to: Positions): Run[] | null {
    const found: Run[] = []
    const reached = new Map<string, number>()
    for (const run of this.#runs) {
      const key = `${run.id}/${run.partition}`
      const begin = Math.max(run.from, from.get(run.id, run.partition))
      const end = Math.min(run.to, to.get(run.id, run.partition))
      if (begin < end) {
        if ((reached.get(key) ?? from.get(run.id, run.partition)) !== begin) return null
        found.push({ id: run.id, partition: run.partition, from: begin, to: end })
        reached.set(key, end)
      }
    }
    const isThere = (id: string, partition: number, offset: number): boolean =>
      (reached.get(`${id}/${partition}`) ?? from.get(id, partition)) === offset
    const isWhole =
      to.places().every(({ id, partition, offset }) => isThere(id, partition, offset)) &&
      isThere('t', 0, to.get('t', 0))
    return isWhole ? found : null
  }
  /** What lies before this place is not asked for again. */
  forget(before: Positions): void {
    let first = 0
    while (first < this.#runs.length) {
      const { id, partition, to } = this.#runs[first]!
      if (to > before.get(id, partition)) break
      first++
    }
    this.#runs.splice(0, first)
  }
  /** False: so much was handed out without a commit that its beginning is forgotten. */
  get isWhole(): boolean {
    return this.#isWhole
  }
}
