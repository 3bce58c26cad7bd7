// This process as commands see it: its streams as an Output, its version, the real world when one is needed.
import { readFileSync } from 'node:fs'
import type { NodeWorldOptions } from '../world/node.ts'
import type { World } from '../world/world.ts'
import { type Globals, type Output, output } from './output.ts'

export function terminalOutput(globals: Globals): Output {
  return output(globals, {
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    nowMs: () => performance.now(),
  })
}

/** As package.json says, two folders up both from src/cli and from dist/cli. */
export function ownVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  const found: unknown = Reflect.get(Object(JSON.parse(text)), 'version')
  return typeof found === 'string' ? found : 'unknown'
}

/** Loaded only by commands that touch disk or network, so that help and version stay quick. */
export async function realWorld(options: NodeWorldOptions = {}): Promise<World> {
  const { nodeWorld } = await import('../world/node.ts')
  return nodeWorld(options)
}

/** The folder where a Millrace keeps its data: the flag, or MILLRACE_DATA_DIR, or `.millrace` here. */
export function dataDirOf(flag: string | undefined): string {
  return flag ?? (process.env.MILLRACE_DATA_DIR || './.millrace')
}

/** Where a Kafka client connects by default: KAFKA_BOOTSTRAP_SERVERS or KAFKA_BROKERS. */
export function brokersFromEnvironment(): string | undefined {
  return process.env.KAFKA_BOOTSTRAP_SERVERS || process.env.KAFKA_BROKERS || undefined
}
