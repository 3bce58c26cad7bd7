// Threads for a world whose files no other thread can see (a broker in memory): the module runs here, in turns.
import { BrokenInvariant } from '../../std/assert.ts'
import { FsError, type Thread, type Threads, type World } from '../../world/world.ts'
import keeperThread from './keeper-thread.ts'

/** Runs the keeper and nothing else. Messages go by reference: neither side changes what it has sent. */
export function keeperInThisThread(world: World): Threads {
  return {
    spawn(_, data): Thread {
      let inside: (message: unknown) => void = () => {}
      let outside: (message: unknown) => void = () => {}
      let isOver = false
      const later = (run: () => void): void => {
        world.clock.soon(() => {
          if (!isOver) run()
        })
      }
      let exit: (error: Error | null) => void = () => {}
      later(() => {
        try {
          keeperThread(
            {
              post: (message) => later(() => outside(message)),
              onMessage: (handler) => {
                inside = handler
              },
            },
            data,
            world,
          )
        } catch (error) {
          isOver = true
          exit(error instanceof Error ? error : new FsError('EIO', 'spawn', String(error)))
        }
      })
      return {
        post: (message) => later(() => inside(message)),
        onMessage: (handler) => {
          outside = handler
        },
        onExit: (handler) => {
          exit = handler
        },
        stop() {
          isOver = true
          return Promise.resolve()
        },
      }
    },
    spawnProcess() {
      throw new BrokenInvariant('the keeper starts no process')
    },
  }
}
