// The thread that the World's contract spawns: does what its order says.
import type { ThreadMain } from '../../src/world/world.ts'

export type EchoOrder =
  | { readonly kind: 'echo' | 'finish' }
  | { readonly kind: 'hello'; readonly name: string }
  | { readonly kind: 'throw'; readonly when: 'now' | 'later' }

const main: ThreadMain = (port, data, world) => {
  const order = data as EchoOrder
  switch (order.kind) {
    case 'hello':
      port.post(`hello ${order.name} at ${world.host.bootId}`)
      break
    case 'echo':
      port.onMessage((message) => port.post(message))
      break
    case 'throw':
      if (order.when === 'now') throw new Error('thrown now')
      world.clock.timer(5, () => {
        throw new Error('thrown later')
      })
      break
    case 'finish':
      world.clock.timer(5, () => {})
      break
  }
}
export default main
