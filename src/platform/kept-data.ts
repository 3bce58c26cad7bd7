// A data directory that nobody holds, opened for one question.
import { openBroker } from '../broker/broker.ts'
import type { DeadLettersPort } from '../serve/books-ports.ts'
import type { World } from '../world/world.ts'
import { deadLettersOf } from './dead-letters.ts'

export async function withDeadLetters<Answer>(
  world: World,
  dataDir: string,
  ask: (port: DeadLettersPort) => Promise<Answer>,
): Promise<Answer> {
  const broker = await openBroker(world, { dataDir, durability: 'power' })
  try {
    return await ask(deadLettersOf(world, broker))
  } finally {
    await broker.close()
  }
}
