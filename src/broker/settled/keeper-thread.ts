// The body of the keeper's thread: requests come in, answers go out, one request at a time.
import type { ThreadPort, World } from '../../world/world.ts'
import { SettledKeeper } from './keeper.ts'
import type { KeeperRequest, KeeperSettings } from './keeping.ts'

export default function keeperThread(port: ThreadPort, data: unknown, world: World): void {
  // Both come from settled.ts, which checks them.
  const keeper = new SettledKeeper(world, data as KeeperSettings)
  let line: Promise<void> = Promise.resolve()
  port.onMessage((message) => {
    line = line.then(() => keeper.answer(message as KeeperRequest, (answer) => port.post(answer)))
  })
}
