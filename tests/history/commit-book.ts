// The offsets that groups committed, as acknowledged and as found by an observer: they may not go back, be forgotten, or
// lie beyond the end of their partition.
import { RawPeer } from './raw-peer.ts'
import { type Scene, sleep } from './scene.ts'
import type { Target } from './writers.ts'

const toldMax = 24

export class CommitBook {
  /** Highest acknowledged, by `group topic/partition`. */
  readonly #acked = new Map<string, number>()
  readonly #seen = new Map<string, number>()
  /** What was committed lately and by whom, for the telling of a fault. */
  readonly #told = new Map<string, string[]>()
  readonly faults: string[] = []
  commits = 0
  observations = 0

  /** `by`: whoever commits. Rejects as the commit does. */
  async commit(group: string, place: string, next: number, by: string, commit: () => Promise<void>): Promise<void> {
    const name = `${group} ${place}`
    this.tell(name, `${by} asks to commit ${next}`)
    try {
      await commit()
    } catch (error) {
      this.tell(name, `${by} is refused ${next}: ${error}`)
      throw error
    }
    this.acked(group, place, next, by)
  }
  acked(group: string, place: string, next: number, by: string): void {
    const name = `${group} ${place}`
    this.tell(name, `${by} has committed ${next}`)
    this.commits++
    this.#acked.set(name, Math.max(next, this.#acked.get(name) ?? 0))
  }
  tell(name: string, what: string): void {
    const told = this.#told.get(name) ?? []
    this.#told.set(name, told)
    told.push(`${performance.now().toFixed(0)} ms: ${what}`)
    if (told.length > toldMax) told.shift()
  }
  #fault(name: string, what: string): void {
    this.faults.push([`${name}: ${what}`, ...(this.#told.get(name) ?? [])].join('\n      '))
  }

  /** What an observer found, who began to ask when `atLeast` was what it was. */
  observed(group: string, found: ReadonlyMap<string, number>, atLeast: ReadonlyMap<string, number>): void {
    this.observations++
    for (const [name, least] of atLeast) {
      const place = name.slice(group.length + 1)
      if (!name.startsWith(`${group} `)) continue
      const now = found.get(place) ?? -1
      if (now < least) this.#fault(name, `${least} was committed and acknowledged, ${now} is found`)
    }
    for (const [place, now] of found) {
      const name = `${group} ${place}`
      const before = this.#seen.get(name) ?? 0
      if (now < before) this.#fault(name, `went back from ${before} to ${now}`)
      this.#seen.set(name, Math.max(now, before))
    }
  }
  ackedSoFar(): ReadonlyMap<string, number> {
    return new Map(this.#acked)
  }
  /** At the end of everything: nothing was committed that does not exist. */
  checkEnds(endOf: (place: string) => number): void {
    for (const [name, now] of this.#seen) {
      const end = endOf(name.slice(name.lastIndexOf(' ') + 1))
      if (now > end) this.#fault(name, `${now} is committed, the end is ${end}`)
    }
  }
}

/** Asks again and again how far the groups have come, until the scene is over. */
export async function observeCommits(
  scene: Scene,
  groups: readonly string[],
  targets: readonly Target[],
  book: CommitBook,
): Promise<void> {
  const peer = new RawPeer(scene.address)
  while (!scene.isOver()) {
    for (const group of groups) await observeOnce(peer, group, targets, book).catch(() => {})
    await sleep(100)
  }
  peer.close()
}
export async function observeOnce(
  peer: RawPeer,
  group: string,
  targets: readonly Target[],
  book: CommitBook,
): Promise<void> {
  const atLeast = book.ackedSoFar()
  book.observed(group, await peer.committed(group, targets), atLeast)
}
