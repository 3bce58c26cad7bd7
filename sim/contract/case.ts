// What a case of the World's contract gets: a world, a folder of its own, and a module to spawn as a thread.
import type { World } from '../../src/world/world.ts'

export interface ContractRun {
  readonly world: World
  /** An empty folder. */
  readonly folder: string
}
export interface ContractCase {
  readonly name: string
  /** Throws what it finds wrong. */
  readonly run: (run: ContractRun) => Promise<void> | void
}
