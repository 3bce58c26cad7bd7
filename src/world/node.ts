// The real world: Node's clock, entropy, disk, network and threads behind the words of world.ts.
import { randomBytes } from 'node:crypto'
import { randomStream } from '../std/random.ts'
import { nodeClock } from './node-clock.ts'
import { nodeFileSystem } from './node-files.ts'
import { nodeHost } from './node-host.ts'
import { nodeNetwork } from './node-network.ts'
import { nodeSyncer } from './node-syncer.ts'
import { poolSyncer } from './node-syncer-pool.ts'
import { nodeThreads } from './node-threads.ts'
import type { World } from './world.ts'

export interface NodeWorldOptions {
  /** Makes everything random repeatable: the same seed, the same numbers. Default: 128 bits of the system's entropy. */
  readonly seed?: string
  /** Who syncs: a thread of our own, or Node's pool, where nothing else keeps its threads busy. Default: `thread`. */
  readonly syncs?: 'thread' | 'pool'
}

/** A world on this machine. Opening it starts nothing: a syncer thread begins with the first sync. */
export function nodeWorld(options: NodeWorldOptions = {}): World {
  return {
    clock: nodeClock(),
    random: randomStream(options.seed ?? randomBytes(16).toString('hex')),
    fs: nodeFileSystem(options.syncs === 'pool' ? poolSyncer() : nodeSyncer()),
    net: nodeNetwork(),
    threads: nodeThreads(),
    host: nodeHost(),
  }
}
